import Foundation
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What schedulers build, by a clock that the tests set.
@Suite(.timeLimit(.minutes(2)))
struct SchedulerTests {
    private static let builders = """

        builders:
          - {name: one, steps: []}
          - {name: two, triggeredOnly: true, steps: []}
        """

    /// Runs a master that stays up, until a time.
    ///
    /// - Returns: What was submitted: times, and the schedulers that submitted something then.
    private func run(
        _ bench: MasterBench, by clock: JumpingClock, until end: String, schedulers count: Int,
        seen: inout Int, basedir: String? = nil, _ last: (Master) async throws -> Void = { _ in }
    ) async throws -> [String] {
        let end = try Date(end, strategy: .iso8601)
        var found: [String] = []
        var total = seen
        try await bench.run(resumes: true, basedir: basedir, time: clock) { master in
            repeat {
                // What a scheduler submits is stored before it sleeps.
                await clock.waitForSleepers(count)
                let names = try await Self.submitted(master).dropFirst(total).sorted()
                total += names.count
                if !names.isEmpty {
                    found.append(
                        "\(clock.now.formatted(.iso8601)) \(names.joined(separator: ", "))")
                }
            } while await clock.jump(before: end, whenAsleep: count)
            try await last(master)
        }
        seen = total
        return found
    }

    /// The schedulers of all buildsets.
    private static func submitted(_ master: Master) async throws -> [String] {
        try await master.environment.store.read { database in
            try database.all(
                "SELECT json_extract(properties, '$.scheduler[0]') FROM buildset ORDER BY id"
            ) { $0[0] as String }
        }
    }

    @Test func `Periodic builds at once, and then after each interval, also after a restart`()
        async throws
    {
        let yaml = """
            schedulers:
              - schedulers.Periodic: {name: hourly, periodicBuildTimer: 1h, builderNames: [one]}
            """ + Self.builders
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        try await MasterBench.with(yaml) { bench in
            var seen = 0
            let first = try await run(
                bench, by: clock, until: "2026-06-01T12:30:00Z", schedulers: 1, seen: &seen)
            #expect(
                first == [
                    "2026-06-01T10:00:00Z hourly", "2026-06-01T11:00:00Z hourly",
                    "2026-06-01T12:00:00Z hourly",
                ])
            // A restart in time changes nothing; one that is late makes up one build.
            clock.now = try Date("2026-06-01T12:45:00Z", strategy: .iso8601)
            let second = try await run(
                bench, by: clock, until: "2026-06-01T13:30:00Z", schedulers: 1, seen: &seen)
            #expect(
                second == [
                    "2026-06-01T13:00:00Z hourly"
                ])
            clock.now = try Date("2026-06-01T20:10:00Z", strategy: .iso8601)
            let third = try await run(
                bench, by: clock, until: "2026-06-01T21:30:00Z", schedulers: 1, seen: &seen)
            #expect(
                third == [
                    "2026-06-01T20:10:00Z hourly", "2026-06-01T21:10:00Z hourly",
                ])
        }
    }

    @Test func `Nightly makes up what it missed once, unless its times were changed`() async throws
    {
        func yaml(_ hour: Int) -> String {
            """
            schedulers:
              - schedulers.Nightly: {name: nightly, hour: \(hour), timezone: UTC, builderNames: [one]}
            """ + Self.builders
        }
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        try await MasterBench.with(yaml(3)) { bench in
            var seen = 0
            let first = try await run(
                bench, by: clock, until: "2026-06-02T04:00:00Z", schedulers: 1, seen: &seen)
            #expect(
                first == [
                    "2026-06-02T03:00:00Z nightly"
                ])
            clock.now = try Date("2026-06-05T12:00:00Z", strategy: .iso8601)
            let second = try await run(
                bench, by: clock, until: "2026-06-06T04:00:00Z", schedulers: 1, seen: &seen)
            #expect(
                second == [
                    "2026-06-05T12:00:00Z nightly", "2026-06-06T03:00:00Z nightly",
                ])
            try bench.write(yaml(10))
            clock.now = try Date("2026-06-08T12:00:00Z", strategy: .iso8601)
            let third = try await run(
                bench, by: clock, until: "2026-06-09T12:00:00Z", schedulers: 1, seen: &seen)
            #expect(
                third == [
                    "2026-06-09T10:00:00Z nightly"
                ])
        }
    }

    @Test(arguments: [
        (
            "2026-03-28T12:00:00Z",
            [
                "2026-03-28T12:00:00Z often", "2026-03-28T18:00:00Z often",
                "2026-03-29T00:00:00Z often", "2026-03-29T01:00:00Z nightly",
                "2026-03-29T06:00:00Z often", "2026-03-29T12:00:00Z often",
                "2026-03-29T18:00:00Z often",
            ],
            "2026-03-30T02:00:00Z",
            [
                "2026-03-30T02:00:00Z nightly, often", "2026-03-30T08:00:00Z often",
                "2026-03-30T14:00:00Z often", "2026-03-30T20:00:00Z often",
                "2026-03-31T00:30:00Z nightly",
            ], "2026-03-31T01:00:00Z"
        ),
        (
            "2026-10-24T12:00:00Z",
            [
                "2026-10-24T12:00:00Z often", "2026-10-24T18:00:00Z often",
                "2026-10-25T00:00:00Z often", "2026-10-25T00:30:00Z nightly",
                "2026-10-25T06:00:00Z often", "2026-10-25T12:00:00Z often",
                "2026-10-25T18:00:00Z often",
            ],
            "2026-10-26T02:00:00Z",
            [
                "2026-10-26T02:00:00Z nightly, often", "2026-10-26T08:00:00Z often",
                "2026-10-26T14:00:00Z often", "2026-10-26T20:00:00Z often",
                "2026-10-27T01:30:00Z nightly",
            ], "2026-10-27T02:00:00Z"
        ),
    ])
    func `a day with a change of summer time and a kill misses and doubles nothing`(
        _ start: String, _ first: [String], _ restart: String, _ second: [String], _ end: String
    ) async throws {
        let yaml = """
            schedulers:
              - schedulers.Periodic: {name: often, periodicBuildTimer: 6h, builderNames: [one]}
              - schedulers.Nightly:
                  name: nightly
                  hour: 2
                  minute: 30
                  timezone: Europe/Berlin
                  builderNames: [one]
            """ + Self.builders
        let clock = JumpingClock(try Date(start, strategy: .iso8601))
        try await MasterBench.with(yaml) { bench in
            var seen = 0
            let stop = try Date(restart, strategy: .iso8601).addingTimeInterval(-7 * 3600)
                .formatted(.iso8601)
            let found = try await run(bench, by: clock, until: stop, schedulers: 2, seen: &seen) {
                _ = try await bench.copy(of: $0)
            }
            #expect(found == first)
            // Killed, and started again after a nightly build and a regular one were due.
            clock.now = try Date(restart, strategy: .iso8601)
            let rest = try await run(
                bench, by: clock, until: end, schedulers: 2, seen: &seen,
                basedir: bench.folder + "/copy")
            #expect(rest == second)
        }
    }

    // MARK: Other schedulers

    /// The first builds that a master finishes from the beginning of a closure on.
    private func builds(
        _ master: Master, count: Int, _ body: () async throws -> Void
    ) async throws -> [String] {
        try await master.events.withSubscription(to: [.buildFinished], bound: 99) { events in
            try await body()
            var builds: [String] = []
            for await case .event(let build) in events {
                let scheduler = build.property("scheduler")?.stringValue ?? ""
                builds.append("\(build.builderName ?? "") by \(scheduler)")
                if builds.count == count { break }
            }
            return builds
        }
    }

    /// Waits until a scheduler has saved a state, and so has begun.
    private func waitForState(of name: String, _ master: Master) async throws {
        var isThere = false
        while !isThere {
            isThere = try await master.environment.store.read { database in
                let state: String? = try database.first(
                    "SELECT state FROM service_state WHERE name = ?", ["schedulers/\(name)"]
                ) { $0[0] as String }
                return state != nil
            }
            if !isThere { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    private static let dependent = """
        schedulers:
          - schedulers.Triggerable: {name: first, builderNames: [one]}
          - schedulers.Dependent:
              name: second
              upstream: first
              builderNames: [two]
              properties: {level: 2}
        builders:
          - name: start
            steps: [steps.Trigger: {schedulerNames: [first], sourceStamp: {branch: b}}]
          - {name: one, triggeredOnly: true, steps: [steps.Play: $one]}
          - {name: two, triggeredOnly: true, steps: [steps.Play: $two]}
        """

    @Test(arguments: [Results.success, .warnings, .failure])
    func `Dependent builds the same sources after another scheduler's builds have succeeded`(
        _ results: Results
    ) async throws {
        let seen = Journal<JSONValue>()
        let scripts: [String: Scripts.Script] = [
            "one": { _ in results },
            "two": { context in
                seen.add(
                    [
                        context.properties["branch"] ?? .null,
                        context.properties["level"] ?? .null,
                        context.properties["scheduler"] ?? .null,
                    ])
                return .success
            },
        ]
        try await MasterBench.with(Self.dependent, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await waitForState(of: "second", master)
                let count = results == .failure ? 2 : 3
                let found = try await builds(master, count: count) {
                    _ = try await master.build(["start"])
                }
                #expect(found.contains("one by first"))
                #expect(found.contains("two by second") == (results != .failure))
            }
            #expect(seen.entries == (results == .failure ? [] : [["b", 2, "second"]]))
        }
    }

    @Test func `Dependent makes up what has ended while it was not there, once`() async throws {
        let built = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "one": { _ in .success },
            "two": { _ in
                built.add("two")
                return .success
            },
        ]
        try await MasterBench.with(Self.dependent, scripts: scripts) { bench in
            // It is there from the beginning, and notes where it starts.
            try await bench.run(resumes: true) { master in
                try await waitForState(of: "second", master)
                _ = try await master.build(["start"])
                await built.wait(for: 1)
            }
            // A run has no schedulers but those that are triggered.
            _ = try await bench.run { master in
                _ = try await master.build(["start"])
                return try await master.endServices()
            }
            #expect(built.entries.count == 1)
            try await bench.run(resumes: true) { _ in _ = await built.wait(for: 2) }
            try await bench.run(resumes: true) { master in
                _ = try await master.build(["start"])
                await built.wait(for: 3)
            }
            #expect(built.entries.count == 3)
        }
    }

    @Test(arguments: ["[pack, docs]", "[!Property {key: none, default: pack}, docs]"])
    func `Trigger builds what schedulers say, with their properties over its own`(
        names: String
    ) async throws {
        let yaml = """
            schedulers:
              - schedulers.Triggerable:
                  {name: pack, builderNames: [deb, rpm], properties: {kind: all}, reason: packing}
              - schedulers.Triggerable: {name: docs, builderNames: [docs]}
            builders:
              - name: start
                steps:
                  - steps.Trigger:
                      schedulerNames: \(names)
                      waitForFinish: true
                      set_properties: {kind: own, more: 1, reason: why}
              - {name: deb, triggeredOnly: true, steps: [steps.Play: $note]}
              - {name: rpm, triggeredOnly: true, steps: [steps.Play: $note]}
              - {name: docs, triggeredOnly: true, steps: [steps.Play: $note]}
            """
        let seen = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "note": { context in
                let values = ["buildername", "scheduler", "kind", "more"].map {
                    context.properties[$0]?.text ?? "-"
                }
                seen.add(values.joined(separator: " "))
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run(slots: 4) { master in
                try await master.events.withSubscription(to: [.buildsetNew], bound: 9) { events in
                    let builds = try await master.build(["start"])
                    events.finish()
                    var reasons: [String] = []
                    for await case .event(let event) in events {
                        reasons.append(event.record["reason"]?.stringValue ?? "")
                    }
                    #expect(Set(reasons) == ["test", "packing", "why"])
                    return builds
                }
            }
            #expect(builds.map(\.build.results) == [.success])
            #expect(builds[0].steps.map(\.stateString) == ["deb #1, rpm #1, docs #1"])
        }
        #expect(
            seen.entries.sorted() == ["deb pack all 1", "docs docs own 1", "rpm pack all 1"])
    }

    @Test func `schedulers follow the file while the master runs`() async throws {
        func yaml(_ timer: String) -> String {
            """
            schedulers:
              - schedulers.Periodic: {name: one, periodicBuildTimer: 1h, builderNames: [one]}
              - schedulers.Periodic: {name: two, periodicBuildTimer: \(timer), builderNames: [one]}
            """ + Self.builders
        }
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        try await MasterBench.with(yaml("2h")) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(2)
                try bench.write(yaml("30m"))
                let configuration = try bench.configuration()
                let changes = try await master.reconfigure(
                    to: configuration, SecretFetcher(configuration).fetch().usable())
                #expect(changes.schedulers.unchanged == ["one"])
                #expect(changes.schedulers.changed == ["two"])
                await clock.waitForSleepers(2)
                // The state of a scheduler is that of its name.
                #expect(
                    await clock.jump(
                        before: try Date("2026-06-01T10:31:00Z", strategy: .iso8601),
                        whenAsleep: 2))
                await clock.waitForSleepers(2)
                #expect(try await Self.submitted(master).sorted() == ["one", "two", "two"])
            }
        }
    }
}
