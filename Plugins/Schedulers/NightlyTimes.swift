internal import Foundation
internal import MasterKit

/// The values of one field of a cron schedule.
struct CronField<Unit: CronUnit>: SettingValue {
    /// The values, in order.
    let values: [Int]
    /// Whether the field is `*`.
    let isAny: Bool

    /// The field `*`.
    static var any: Self { CronField(values: Array(Unit.range), isAny: true) }

    init(_ value: Int) {
        self.init(values: [value], isAny: false)
    }

    private init(values: [Int], isAny: Bool) {
        self.values = values
        self.isAny = isAny
    }

    static var shape: String {
        "\(Unit.wording), a list, or a text such as '*/2' or '\(Unit.range.lowerBound + 1)-"
            + "\(Unit.range.lowerBound + 4)'"
    }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> CronField? {
        guard let items = node.sequence else { return part(node, decoder) }
        let parts = items.map { part($0, decoder) }
        let present = parts.compactMap { $0 }
        guard present.count == parts.count else { return nil }
        guard !present.isEmpty else { return decoder.mismatch(node, expected: shape) }
        return CronField(
            values: Set(present.flatMap(\.values)).sorted(), isAny: present.contains(where: \.isAny)
        )
    }

    private static func part(_ node: YAMLNode, _ decoder: SettingDecoder) -> CronField? {
        guard let text = node.scalarText, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if text == "*" { return any }
        let ranges = text.split(separator: ",", omittingEmptySubsequences: false).map(values)
        let present = ranges.compactMap { $0 }
        guard present.count == ranges.count else { return decoder.mismatch(node, expected: shape) }
        return CronField(values: Set(present.flatMap(\.self)).sorted(), isAny: false)
    }

    /// The values of `3`, `1-5`, `*/2` or `1-10/3`; `nil` if there are none.
    private static func values(_ text: Substring) -> [Int]? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let range = range(first) else {
            return nil
        }
        guard parts.count == 2 else { return Array(range) }
        guard let step = Int(parts[1]), step > 0, first == "*" || first.contains("-") else {
            return nil
        }
        return Array(stride(from: range.lowerBound, through: range.upperBound, by: step))
    }

    private static func range(_ text: Substring) -> ClosedRange<Int>? {
        if text == "*" { return Unit.range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(value)
        guard let first = ends.first, let first, let last = ends[ends.count - 1],
            ends.count <= 2, first <= last
        else { return nil }
        return first...last
    }

    private static func value(_ text: Substring) -> Int? {
        if let index = Unit.names.firstIndex(of: text.lowercased()) {
            return Unit.range.lowerBound + index
        }
        guard let number = Int(text), Unit.range.contains(number) else { return nil }
        return number
    }
}

/// The unit of a field.
protocol CronUnit: Sendable {
    static var range: ClosedRange<Int> { get }
    static var names: [String] { get }
    static var wording: String { get }
}

extension CronUnit {
    static var names: [String] { [] }
    static var wording: String { "a number from \(range.lowerBound) to \(range.upperBound)" }
}

enum Minutes: CronUnit {
    static let range = 0...59
}

enum Hours: CronUnit {
    static let range = 0...23
}

enum DaysOfMonth: CronUnit {
    static let range = 1...31
}

enum Months: CronUnit {
    static let range = 1...12
    static let names = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    static let wording = "a number from 1 to 12 or a name such as jan"
}

enum DaysOfWeek: CronUnit {
    static let range = 0...6
    static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    static let wording = "a number from 0 (Monday) to 6 (Sunday) or a name such as mon"
}

/// The name of a time zone.
struct ZoneName: SettingValue {
    let zone: TimeZone

    static var shape: String { "the name of a time zone such as Europe/Berlin" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ZoneName? {
        guard let name = decoder.decode(String.self, from: node) else { return nil }
        guard let zone = TimeZone(identifier: name) else {
            let remedy = Suggestion.remedy(
                for: name, among: TimeZone.knownTimeZoneIdentifiers,
                all: ["names such as Europe/Berlin", "UTC"])
            return decoder.error("there is no time zone '\(name)'; \(remedy)", at: node.range)
        }
        return ZoneName(zone: zone)
    }
}

/// The times at which a schedule is due, in a time zone.
///
/// A time that a day skips, when clocks go forward, is due at the next time that exists; one that a
/// day has twice is due at the first.
struct NightlyTimes: Sendable {
    let minutes: [Int]
    let hours: [Int]
    let daysOfMonth: CronField<DaysOfMonth>
    let months: Set<Int>
    let daysOfWeek: CronField<DaysOfWeek>
    let zone: TimeZone

    private static let secondsPerDay = 86_400
    /// Eight years may lie between two leap years, and 40 until the same day of the week.
    private static let longestSearch = 41 * 366
    /// How far local times may be apart from each other at one moment.
    private static let largestShift = 26 * 3600

    /// Whether any day fits.
    var isPossible: Bool {
        guard daysOfWeek.isAny, let first = daysOfMonth.values.first else { return true }
        return months.contains { first <= Self.longestMonth($0) }
    }

    /// The schedule as a text, which differs for other times.
    var text: String {
        let days = daysOfMonth.isAny ? "*" : "\(daysOfMonth.values)"
        let weekdays = daysOfWeek.isAny ? "*" : "\(daysOfWeek.values)"
        return "\(minutes) \(hours) \(days) \(months.sorted()) \(weekdays) \(zone.identifier)"
    }

    /// The first time that is due after a moment.
    func next(after moment: Date) -> Date? {
        let after = Int(moment.timeIntervalSince1970.rounded(.down))
        let local = after + zone.secondsFromGMT(for: moment)
        let today = Self.quotient(local, Self.secondsPerDay)
        for day in (today - 1)...(today + Self.longestSearch) where fits(day) {
            for hour in hours {
                for minute in minutes {
                    let time = day * Self.secondsPerDay + hour * 3600 + minute * 60
                    guard time > local - Self.largestShift else { continue }
                    let due = self.moment(of: time)
                    if due > after { return Date(timeIntervalSince1970: Double(due)) }
                }
            }
        }
        return nil
    }

    /// The moment, in seconds since 1970, of a local time: its first, or that at which the clock
    /// skips it.
    private func moment(of local: Int) -> Int {
        let offsets = [-Self.largestShift, Self.largestShift].map { offset(at: local + $0) }
        let moments = offsets.map { local - $0 }.sorted()
        if let first = moments.first(where: { $0 + offset(at: $0) == local }) { return first }
        // The offset changes between these two, and the clock goes forward over the local time.
        var (before, after) = (moments[0], moments[1])
        while after - before > 1 {
            let middle = before + (after - before) / 2
            if middle + offset(at: middle) < local { before = middle } else { after = middle }
        }
        return after
    }

    private func offset(at moment: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
    }

    // MARK: Days

    /// Whether a day fits, counted from 1 January 1970, a Thursday.
    ///
    /// As in cron, if both kinds of days are restricted, either of them is enough.
    private func fits(_ day: Int) -> Bool {
        let (month, dayOfMonth) = Self.date(of: day)
        guard months.contains(month) else { return false }
        let weekday = (day + 3) - 7 * Self.quotient(day + 3, 7)
        let (isDay, isWeekday) = (
            daysOfMonth.values.contains(dayOfMonth), daysOfWeek.values.contains(weekday)
        )
        return daysOfMonth.isAny || daysOfWeek.isAny ? isDay && isWeekday : isDay || isWeekday
    }

    private static func longestMonth(_ month: Int) -> Int {
        month == 2 ? 29 : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    private static let gregorian: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    /// The month and the day of the month of a day in the Gregorian calendar.
    private static func date(of day: Int) -> (month: Int, day: Int) {
        let parts = gregorian.dateComponents(
            [.month, .day], from: Date(timeIntervalSince1970: Double(day * secondsPerDay)))
        return (parts.month ?? 1, parts.day ?? 1)
    }

    /// The quotient, rounded down.
    private static func quotient(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }
}
