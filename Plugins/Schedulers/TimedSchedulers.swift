internal import Foundation
public import MasterKit

/// Builds at regular intervals.
public struct Periodic: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds at regular intervals, the first time at once."

    @Setting("The interval.", .notEmpty) var periodicBuildTimer: Duration

    @SettingGroup var timing = TimedSettings()

    @SettingGroup var selection = ChangeSettings()

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Rejects an interval of 0, and warns of settings without effect.
    public func check(_ settings: SettingsCheck) {
        timing.warnOfUnused(selection, settings)
        if periodicBuildTimer == .zero {
            settings.error("'periodicBuildTimer' can't be 0", at: "periodicBuildTimer")
        }
    }

    /// Tells when somebody disables or enables it, if changes matter.
    public var wantedEvents: Set<EventKind> {
        timing.followsChanges(selection) ? [.schedulerUpdated] : []
    }

    /// Builds after each interval; one that passed while no master was running is made up at once.
    public func run(in context: SchedulerContext) async throws {
        let seconds = periodicBuildTimer / .seconds(1)
        try await TimedBuilds(
            timing: timing, selection: selection, context: context, startsAtOnce: true
        ).run { $0.addingTimeInterval(seconds) }
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

    @SettingGroup var timing = TimedSettings()

    @SettingGroup var selection = ChangeSettings()

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Rejects dates that do not exist, such as 31 February, and warns of settings without effect.
    public func check(_ settings: SettingsCheck) {
        timing.warnOfUnused(selection, settings)
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

    /// Tells when somebody disables or enables it, if changes matter.
    public var wantedEvents: Set<EventKind> {
        timing.followsChanges(selection) ? [.schedulerUpdated] : []
    }

    /// Builds at each time. Of the times that passed while no master was running, one is made up,
    /// unless the times were changed meanwhile.
    public func run(in context: SchedulerContext) async throws {
        let times = times
        try await TimedBuilds(
            timing: timing, selection: selection, context: context, schedule: times.text
        ).run { times.next(after: $0) }
    }
}

/// What schedulers of time build.
struct TimedSettings: Settings {
    @Setting("It builds only if an important change has come since the last build.")
    var onlyIfChanged = false

    @Setting("The branch that it builds and whose changes count; null is the default branch.")
    var branch: String?

    /// Whether changes matter.
    func followsChanges(_ selection: ChangeSettings) -> Bool {
        onlyIfChanged || selection.createAbsoluteSourceStamps
    }

    /// Warns of settings about changes, which do not matter if every time is built.
    func warnOfUnused(_ selection: ChangeSettings, _ settings: SettingsCheck) {
        guard !followsChanges(selection) else { return }
        for name in ["change_filter", "fileIsImportant", "onlyImportant"]
        where settings.isGiven(name) {
            settings.warning(
                "'\(name)' has no effect without 'onlyIfChanged: true'; add that, or remove it",
                at: name)
        }
    }
}

/// A running scheduler that builds at times that are computed from the previous one.
private struct TimedBuilds {
    /// What it has built; its state in the store.
    private struct Progress {
        var last: Date
        /// Whether it has never built anything while it paid attention to changes.
        var isFirst = true
        /// The changes since the last build, if it pays attention to them.
        var changes: FollowedChanges?
        /// Whether the scheduler was enabled when it last looked.
        var isEnabled = true
    }

    let timing: TimedSettings
    let selection: ChangeSettings
    let context: SchedulerContext
    /// What the times are computed from, if another schedule does not continue this one.
    var schedule: String?
    /// Whether it builds at its first start ever.
    var startsAtOnce = false

    /// How much later than due a build counts as in time, in seconds.
    private static let tolerance = 60.0
    private static let day = 86_400.0

    private var followsChanges: Bool { timing.followsChanges(selection) }

    /// Builds until there is no further time.
    ///
    /// - Parameter next: Computes the time after another one; `nil` if there is none.
    /// - Throws: An error of the store, or `CancellationError`.
    func run(_ next: (Date) -> Date?) async throws {
        var progress = try await begin()
        while let due = next(progress.last) {
            guard try await wait(until: due, &progress) else { return }
            // One that is late is made up once, and the next counts from then; a few moments do
            // not shift the times.
            let now = context.now
            let isMissed = next(due).map { $0 <= now } == true
            progress.last =
                isMissed || now.timeIntervalSince(due) > Self.tolerance ? now : due
            try await build(&progress)
        }
        context.logger.warning("builds no more, as no further time fits")
    }

    /// Waits until a time; changes that come while the scheduler is disabled pass by.
    ///
    /// - Returns: Whether the scheduler goes on.
    private func wait(until due: Date, _ progress: inout Progress) async throws -> Bool {
        guard followsChanges else {
            try await context.sleep(until: due)
            return true
        }
        while try await context.waitForEvent(until: due) {
            guard context.now < due else { return true }
            let wasEnabled = progress.isEnabled
            try await look(&progress)
            if progress.isEnabled != wasEnabled { try await context.save(state(progress)) }
        }
        return false
    }

    private func begin() async throws -> Progress {
        let saved = try await context.state()
        var progress = Progress(last: context.now, isEnabled: try await context.isEnabled())
        progress.isFirst = saved?["built"] != true
        if followsChanges {
            // Changes that came while it did not follow them are covered by its first build.
            progress.isFirst = progress.isFirst || FollowedChanges(saved) == nil
            let newest = try await context.newestChangeID()
            progress.changes = FollowedChanges(saved) ?? FollowedChanges(after: newest)
        }
        if let time = saved?["last_ms"]?.intValue, saved?["schedule"]?.stringValue == schedule {
            progress.last = last(of: Date(timeIntervalSince1970: Double(time) / 1000))
        } else if startsAtOnce {
            try await build(&progress)
            return progress
        }
        try await context.save(state(progress))
        return progress
    }

    /// When it has last built, by the clock as it is now: after it has been set back, builds must not
    /// wait until it is there again. Those of a schedule are not repeated within a day.
    private func last(of saved: Date) -> Date {
        let patience = schedule == nil ? Self.tolerance : Self.day
        guard saved.timeIntervalSince(context.now) > patience else { return saved }
        context.logger.warning(
            """
            last built at a time that is still to come, as the clock was set back; its next build \
            counts from now
            """)
        return context.now
    }

    private func build(_ progress: inout Progress) async throws {
        try await look(&progress)
        let group = progress.changes?.groups[""]
        let hasCause = !timing.onlyIfChanged || progress.isFirst || group?.isImportant == true
        guard hasCause, progress.isEnabled else {
            return try await context.save(state(progress))
        }
        let changes = try await context.changes(group?.ids ?? [])
        progress.changes?.remove()
        progress.isFirst = false
        let stamps = progress.changes?.sourceStamps(
            of: changes, isAbsolute: selection.createAbsoluteSourceStamps)
        try await context.submit(
            sourceStamps: stamps.flatMap { $0.isEmpty ? nil : $0 }
                ?? [SourceStamp(branch: timing.branch)],
            changes: changes, saving: state(progress))
    }

    /// Collects the changes that have come, unless the scheduler was disabled meanwhile, and looks
    /// whether it is.
    private func look(_ progress: inout Progress) async throws {
        let isEnabled = try await context.isEnabled()
        defer { progress.isEnabled = isEnabled }
        guard var changes = progress.changes else { return }
        while true {
            let page = try await context.changes(after: changes.seen)
            guard !page.isEmpty else { break }
            for change in page {
                changes.seen = change.id
                let isImportant = selection.importance(of: change, in: context) {
                    !timing.$branch.isGiven || $0.branch == timing.branch
                }
                guard progress.isEnabled, let isImportant else { continue }
                changes.collect(change, isImportant: isImportant)
                if selection.createAbsoluteSourceStamps { changes.note(change.sourceStamp) }
            }
        }
        progress.changes = changes
    }

    private func state(_ progress: Progress) -> JSONValue {
        var state: JSONObject = [
            "last_ms": .milliseconds(progress.last), "built": .bool(!progress.isFirst),
        ]
        if let schedule { state["schedule"] = .string(schedule) }
        for (name, value) in progress.changes?.state ?? [:] { state[name] = value }
        return .object(state)
    }
}

extension Periodic: SettingHints {
    /// A hint for other words for an interval.
    public static func hint(forUnknown name: String) -> String? {
        ["every", "interval", "period", "timer"].contains(name)
            ? "write 'periodicBuildTimer'" : nil
    }
}

extension Nightly: SettingHints {
    /// A hint for settings of Buildbot's that make exceptions, and for those of other programs.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "cron", "crontab", "schedule", "at", "time":
            "write its fields as 'minute', 'hour', 'dayOfMonth', 'month' and 'dayOfWeek'"
        case _ where name.hasPrefix("force_at_"):
            "add a second Nightly without 'onlyIfChanged' for these times"
        default: nil
        }
    }
}
