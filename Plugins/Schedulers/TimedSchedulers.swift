internal import Foundation
public import MasterKit

/// Builds at regular intervals.
public struct Periodic: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds at regular intervals, the first time at once."

    @Setting("The interval.", .notEmpty) var periodicBuildTimer: Duration

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Rejects an interval of 0.
    public func check(_ settings: SettingsCheck) {
        if periodicBuildTimer == .zero {
            settings.error("'periodicBuildTimer' can't be 0", at: "periodicBuildTimer")
        }
    }

    /// Builds after each interval; one that passed while no master was running is made up at once.
    public func run(in context: SchedulerContext) async throws {
        let seconds = periodicBuildTimer / .seconds(1)
        try await context.repeatBuilds(startsAtOnce: true) { $0.addingTimeInterval(seconds) }
    }
}

/// Builds at times of the day, as cron does.
public struct Nightly: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds at certain times of certain days, as cron does."

    @Setting("The minutes: a number, a list, or a text such as '*/15'.")
    var minute = CronField<Minutes>(0)

    @Setting("The hours.") var hour = CronField<Hours>.any

    @Setting("The days of the month.") var dayOfMonth = CronField<DaysOfMonth>.any

    @Setting("The months: 1 to 12, or jan to dec.") var month = CronField<Months>.any

    @Setting("The days of the week: 0 (Monday) to 6 (Sunday), or mon to sun.")
    var dayOfWeek = CronField<DaysOfWeek>.any

    @Setting("The time zone, such as Europe/Berlin; by default the machine's.")
    var timezone: ZoneName?

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Rejects dates that do not exist, such as 31 February.
    public func check(_ settings: SettingsCheck) {
        guard !times.isPossible else { return }
        settings.error(
            "none of these months has such a day, so that nothing would ever be built; change "
                + "'dayOfMonth' or 'month'", at: "dayOfMonth")
    }

    var times: NightlyTimes {
        NightlyTimes(
            minutes: minute.values, hours: hour.values, daysOfMonth: dayOfMonth,
            months: Set(month.values), daysOfWeek: dayOfWeek, zone: timezone?.zone ?? .current)
    }

    /// Builds at each time. Of the times that passed while no master was running, one is made up,
    /// unless the times were changed meanwhile.
    public func run(in context: SchedulerContext) async throws {
        let times = times
        try await context.repeatBuilds(schedule: times.text) { times.next(after: $0) }
    }
}

extension SchedulerContext {
    /// Builds at times that are computed from the previous one.
    ///
    /// - Parameters:
    ///   - schedule: What the times are computed from, if another schedule does not continue this
    ///     one.
    ///   - startsAtOnce: Whether it builds at its first start ever.
    ///   - next: Computes the time after another one; `nil` if there is none.
    /// - Throws: An error of the store, or `CancellationError`.
    fileprivate func repeatBuilds(
        schedule: String? = nil, startsAtOnce: Bool = false, next: (Date) -> Date?
    ) async throws {
        let saved = try await state()
        var last: Date
        if let time = saved?["last_ms"]?.intValue, saved?["schedule"]?.stringValue == schedule {
            last = Date(timeIntervalSince1970: Double(time) / 1000)
        } else {
            last = now
            let state = Self.state(last, schedule)
            if startsAtOnce {
                try await submit(saving: state)
            } else {
                try await save(state)
            }
        }
        while let due = next(last) {
            try await sleep(until: due)
            // One that is late is made up once, and the next counts from then; a few moments do
            // not shift the times.
            let now = now
            let isMissed = next(due).map { $0 <= now } == true
            last = isMissed || now.timeIntervalSince(due) > Self.tolerance ? now : due
            try await submit(saving: Self.state(last, schedule))
        }
        logger.warning("\(name) builds no more, as no further time fits")
    }

    /// How much later than due a build counts as in time, in seconds.
    private static let tolerance = 60.0

    private static func state(_ last: Date, _ schedule: String?) -> JSONValue {
        var state: JSONObject = [
            "last_ms": .int(Int((last.timeIntervalSince1970 * 1000).rounded(.up)))
        ]
        if let schedule { state["schedule"] = .string(schedule) }
        return .object(state)
    }
}
