internal import Foundation
public import MasterKit

/// Builds changes of one branch, or of those that a filter selects, together.
public struct SingleBranchScheduler: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds changes, usually of one branch, once no more of them come."

    @Setting("The branch; null is the default branch.", .example("main")) var branch: String?

    @SettingGroup var timing = StableTimerSettings()

    @SettingGroup var selection = ChangeSettings()

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Requires a branch or a filter.
    public func check(_ settings: SettingsCheck) {
        if !settings.isGiven("branch"), !settings.isGiven("change_filter") {
            settings.error(
                "schedulers.SingleBranchScheduler needs 'branch' or 'change_filter'; for every "
                    + "branch use schedulers.AnyBranchScheduler", at: "branch")
        }
        if $branch.isGiven { timing.refuse("branch", with: selection, settings) }
    }

    /// Tells when to look; the changes are read from the store.
    public let wantedEvents: Set<EventKind> = [.changeNew, .schedulerUpdated]

    /// Builds changes as they come, also those that came while it was not running.
    public func run(in context: SchedulerContext) async throws {
        try await ChangeFollower(
            selection: selection, timing: timing, context: context,
            isWanted: { change in !$branch.isGiven || change.branch == branch }, group: { _ in "" }
        ).run()
    }
}

/// Builds changes of several branches, those of each branch or merge request together.
public struct AnyBranchScheduler: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds changes of each branch once no more of them come there."

    @Setting("The branches; by default all. Null is the default branch.")
    var branches: OneOrMore<String?>?

    @SettingGroup var timing = StableTimerSettings()

    @SettingGroup var selection = ChangeSettings()

    /// Creates an unconfigured scheduler.
    public init() {}

    /// Rejects two kinds of filters.
    public func check(_ settings: SettingsCheck) {
        if branches != nil { timing.refuse("branches", with: selection, settings) }
    }

    /// Tells when to look; the changes are read from the store.
    public let wantedEvents: Set<EventKind> = [.changeNew, .schedulerUpdated]

    /// Builds changes as they come, also those that came while it was not running.
    public func run(in context: SchedulerContext) async throws {
        try await ChangeFollower(
            selection: selection, timing: timing, context: context,
            isWanted: { branches?.items.contains($0.branch) != false }
        ) { change in
            let parts = [change.codebase, change.project, change.repository, change.branch ?? ""]
            let request = change.mergeRequest.map { "\($0.key)=\($0.value)" }
            let place = (parts + request).joined(separator: "\n")
            return change.branch == nil ? place : place + "\n"
        }.run()
    }
}

extension AnyBranchScheduler: SettingHints {
    /// A hint for a setting of the other scheduler.
    public static func hint(forUnknown name: String) -> String? {
        name == "branch" ? "write 'branches'" : nil
    }
}

/// When changes are built.
struct StableTimerSettings: Settings {
    @Setting(
        "How long no change may come before they are built; by default each one is built at once.",
        .example("30s"))
    var treeStableTimer: Duration?

    @Setting("Only changes of one of these categories.", .notEmpty) var categories: [String]?

    /// Rejects `change_filter` beside the short settings for the same purpose.
    func refuse(_ setting: String, with changes: ChangeSettings, _ settings: SettingsCheck) {
        guard changes.changeFilter != nil else { return }
        settings.error(
            "'\(setting)' and 'change_filter' can't stand together; keep 'change_filter', which can "
                + "have a 'branch'", at: setting)
    }
}

/// A running scheduler that follows changes.
private struct ChangeFollower {
    let selection: ChangeSettings
    let timing: StableTimerSettings
    let context: SchedulerContext
    let isWanted: (Change) -> Bool
    /// What the changes that are built together have in common.
    let group: (Change) -> String

    func run() async throws {
        var changes: FollowedChanges
        if let saved = FollowedChanges(try await context.state()) {
            changes = saved
            // A shorter timer counts at once; and a clock that was set back must not hold it up.
            changes.hasten(to: context.now.addingTimeInterval(stableTime))
        } else {
            changes = FollowedChanges(after: try await context.newestChangeID())
            try await save(changes)
        }
        var isEnabled: Bool
        repeat {
            isEnabled = try await context.isEnabled()
            try await look(&changes, isEnabled: isEnabled)
            if isEnabled { try await buildDue(&changes) }
        } while try await context.waitForEvent(until: isEnabled ? changes.due : nil)
    }

    /// Looks at the changes that have come; while the scheduler is disabled, they pass by.
    private func look(_ changes: inout FollowedChanges, isEnabled: Bool) async throws {
        while true {
            let page = try await context.changes(after: changes.seen)
            guard !page.isEmpty else { return }
            for change in page {
                changes.seen = change.id
                guard isEnabled, let isImportant = importance(of: change) else { continue }
                if selection.createAbsoluteSourceStamps { changes.note(change.sourceStamp) }
                if stableTime > 0 {
                    let due = context.now.addingTimeInterval(stableTime)
                    changes.collect(change, isImportant: isImportant, in: group(change), due: due)
                } else if isImportant {
                    try await build([change], changes)
                }
            }
            let removed = changes.removeOldest()
            if removed > 0 {
                context.logger.warning(
                    """
                    forgets the unimportant changes of \(removed) \
                    branch\(removed == 1 ? "" : "es") that had no important change for longest
                    """)
            }
            try await save(changes)
        }
    }

    /// How long no change may come, in seconds.
    private var stableTime: TimeInterval { (timing.treeStableTimer ?? .zero) / .seconds(1) }

    private func importance(of change: Change) -> Bool? {
        selection.importance(of: change, in: context) { change in
            guard let categories = timing.categories else { return isWanted(change) }
            return isWanted(change) && change.category.map(categories.contains) == true
        }
    }

    private func buildDue(_ changes: inout FollowedChanges) async throws {
        for key in changes.due(at: context.now) {
            let collected = try await context.changes(changes.groups[key]?.ids ?? [])
            changes.remove(key)
            try await build(collected, changes)
        }
    }

    private func build(_ changes: [Change], _ followed: FollowedChanges) async throws {
        guard !changes.isEmpty else { return try await save(followed) }
        let stamps = followed.sourceStamps(
            of: changes, isAbsolute: selection.createAbsoluteSourceStamps)
        try await context.submit(
            sourceStamps: stamps, changes: changes, saving: .object(followed.state))
    }

    private func save(_ changes: FollowedChanges) async throws {
        try await context.save(.object(changes.state))
    }
}

extension SchedulerContext {
    /// Waits for an event, or for a time if that comes first.
    ///
    /// - Returns: Whether the scheduler goes on; it should end once its events have.
    /// - Throws: `CancellationError`.
    func waitForEvent(until moment: Date?) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                var iterator = events.makeAsyncIterator()
                return await iterator.next() != nil
            }
            if let moment {
                group.addTask {
                    try await sleep(until: moment)
                    return true
                }
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
