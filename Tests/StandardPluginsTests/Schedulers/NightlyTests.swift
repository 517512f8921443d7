import Foundation
import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

/// At which times it is due; how the builds come about is tested with a master.
struct NightlyTests {
    private static func moments(
        _ yaml: String, after start: String, count: Int
    ) throws -> [String] {
        let times = try Nightly.configured(yaml: yaml).times
        var moment = try Date(start, strategy: .iso8601)
        return try (1...count).map { _ in
            moment = try #require(times.next(after: moment))
            return moment.formatted(.iso8601)
        }
    }

    @Test(arguments: [
        // Every hour at the full hour, by default.
        (
            "{timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z"]
        ),
        (
            "{hour: 3, timezone: UTC}", "2026-01-01T02:59:59Z",
            ["2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"]
        ),
        (
            "{hour: [3, 15], minute: 30, timezone: UTC}", "2026-12-31T15:30:00Z",
            ["2027-01-01T03:30:00Z", "2027-01-01T15:30:00Z"]
        ),
        (
            "{minute: '*/20', timezone: UTC}", "2026-01-01T00:20:00Z",
            ["2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"]
        ),
        (
            "{minute: '5-15/10,50', hour: 0, timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2026-01-01T00:05:00Z", "2026-01-01T00:15:00Z", "2026-01-01T00:50:00Z"]
        ),
        // 0 is Monday: 5 January 2026.
        (
            "{hour: 6, dayOfWeek: 0, timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2026-01-05T06:00:00Z", "2026-01-12T06:00:00Z"]
        ),
        (
            "{hour: 6, dayOfWeek: sat-sun, timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2026-01-03T06:00:00Z", "2026-01-04T06:00:00Z", "2026-01-10T06:00:00Z"]
        ),
        (
            "{hour: 0, dayOfMonth: 29, month: feb, timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]
        ),
        (
            "{hour: 0, dayOfMonth: 29, month: 2, timezone: UTC}", "2096-02-29T00:00:00Z",
            ["2104-02-29T00:00:00Z"]
        ),
        (
            "{hour: 0, dayOfMonth: 31, timezone: UTC}", "2026-01-31T00:00:00Z",
            ["2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"]
        ),
        // Either kind of day is enough, as in cron.
        (
            "{hour: 0, dayOfMonth: 1, dayOfWeek: 0, timezone: UTC}", "2026-01-01T00:00:00Z",
            ["2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"]
        ),
        ("{hour: 3, timezone: America/New_York}", "2026-01-01T00:00:00Z", ["2026-01-01T08:00:00Z"]),
    ])
    func `it is due when its fields say`(
        _ yaml: String, _ start: String, _ expected: [String]
    ) throws {
        #expect(try Self.moments(yaml, after: start, count: expected.count) == expected)
    }

    @Test(arguments: [
        // 29 March 2026: 2:00 CET is followed by 3:00 CEST, at 1:00 UTC.
        (
            "{hour: 2, minute: 30", "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        ),
        ("{hour: 2", "2026-03-28T12:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
        (
            "{hour: [2, 3]", "2026-03-28T12:00:00Z",
            ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]
        ),
        (
            "{minute: '*/30'", "2026-03-29T00:00:00Z",
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
        ),
        // 25 October 2026: 3:00 CEST is followed by 2:00 CET, at 1:00 UTC.
        (
            "{hour: 2, minute: 30", "2026-10-24T12:00:00Z",
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        ),
        ("{hour: 2, minute: 30", "2026-10-25T01:10:00Z", ["2026-10-26T01:30:00Z"]),
        ("{minute: 0", "2026-10-25T00:00:00Z", ["2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"]),
    ])
    func `a time that is skipped is due when clocks go on, one that comes twice at its first`(
        _ fields: String, _ start: String, _ expected: [String]
    ) throws {
        let yaml = fields + ", timezone: Europe/Berlin}"
        #expect(try Self.moments(yaml, after: start, count: expected.count) == expected)
    }

    @Test func `a whole day that is skipped is made up at its end`() throws {
        // Samoa had no 30 December 2011: it went from UTC-10 to UTC+14.
        let found = try Self.moments(
            "{hour: 12, timezone: Pacific/Apia}", after: "2011-12-29T23:00:00Z", count: 2)
        #expect(found == ["2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"])
    }

    @Test(arguments: [
        "Australia/Lord_Howe", "Europe/Berlin", "America/New_York", "America/Havana",
        "America/Santiago", "Antarctica/Troll", "Africa/Casablanca", "Asia/Beirut",
        "Pacific/Chatham",
    ])
    func `each time is due when the clock first shows it or a later one`(_ name: String) throws {
        let zone = try #require(TimeZone(identifier: name))
        var transition = try Date("2026-01-01T00:00:00Z", strategy: .iso8601)
        for _ in 1...4 {
            transition = try #require(zone.nextDaylightSavingTimeTransition(after: transition))
            for (fields, minutes) in [
                ("minute: '*/10'", Set(stride(from: 0, to: 1440, by: 10))),
                ("hour: [0, 2, 23], minute: [5, 35]", [5, 35, 125, 155, 1385, 1415]),
            ] {
                let times = try Nightly.configured(yaml: "{\(fields), timezone: \(name)}").times
                let start = transition.addingTimeInterval(-2 * 86_400)
                let end = transition.addingTimeInterval(2 * 86_400)
                var found: [Date] = []
                while let next = times.next(after: found.last ?? start), next <= end {
                    found.append(next)
                }
                #expect(found == Self.due(minutes, from: start, to: end, zone))
            }
        }
    }

    /// When minutes of the day are due, looking at the clock each minute.
    private static func due(
        _ minutes: Set<Int>, from start: Date, to end: Date, _ zone: TimeZone
    ) -> [Date] {
        func local(_ moment: Date) -> Int {
            (Int(moment.timeIntervalSince1970) + zone.secondsFromGMT(for: moment)) / 60
        }
        var (found, moment, latest) = ([Date](), start, local(start))
        while moment < end {
            moment = moment.addingTimeInterval(60)
            let now = local(moment)
            guard now > latest else { continue }
            if ((latest + 1)...now).contains(where: { minutes.contains($0 % 1440) }) {
                found.append(moment)
            }
            latest = now
        }
        return found
    }

    @Test func `every minute of a year is computed quickly enough to be repeated each minute`()
        throws
    {
        let times = try Nightly.configured(yaml: "{minute: '*', timezone: Europe/Berlin}").times
        var moment = try Date("2026-06-01T00:00:00Z", strategy: .iso8601)
        for _ in 1...60 {
            let next = try #require(times.next(after: moment))
            #expect(next.timeIntervalSince(moment) == 60)
            moment = next
        }
    }
}
