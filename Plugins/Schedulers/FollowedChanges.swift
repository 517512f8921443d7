internal import Foundation
internal import MasterKit

/// The settings by which schedulers follow changes.
struct ChangeSettings: Settings {
    @Setting("Which changes it follows; by default all.", .named("change_filter"))
    var changeFilter: ChangeFilter?

    @Setting("The files that make a change important; by default every change is.")
    var fileIsImportant: ImportantFiles?

    @Setting("Unimportant changes are not part of its builds.") var onlyImportant = false

    @Setting("Builds also have the last source of codebases without changes.")
    var createAbsoluteSourceStamps = false

    /// Whether a change is to be built: `nil` if it does not concern the scheduler, or else
    /// whether it is important.
    ///
    /// One that can't be judged does not count, and a warning says so.
    func importance(
        of change: Change, in context: SchedulerContext, where isWanted: (Change) -> Bool
    ) -> Bool? {
        do {
            guard isWanted(change), try changeFilter?.admits(change) != false else { return nil }
            let isImportant = try fileIsImportant?.areIn(change) != false
            return isImportant || !onlyImportant ? isImportant : nil
        } catch {
            context.logger.warning(
                "ignores the change \(change.id): \(error)")
            return nil
        }
    }
}

/// The changes that a scheduler has seen and not built yet; its state in the store.
struct FollowedChanges {
    /// How many unimportant changes are kept for the next important one.
    private static let bound = 500
    /// How many groups are kept that have unimportant changes only.
    private static let groupBound = 1000

    /// Changes that are built together.
    struct Group {
        var ids: [Int] = []
        var isImportant = false
        /// When they are built, unless another one comes before.
        var due: Date?
    }

    /// The last change that was looked at.
    var seen: Int
    /// The collected changes by what they have in common.
    private(set) var groups: [String: Group] = [:]
    /// The last source of each codebase.
    private var stamps: [String: SourceStamp] = [:]

    init(after id: Int) {
        seen = id
    }

    /// Takes a change into a group, and starts or restarts its timer if it has an important one.
    mutating func collect(
        _ change: Change, isImportant: Bool, in key: String = "", due: Date? = nil
    ) {
        var group = groups[key] ?? Group()
        group.ids.append(change.id)
        if isImportant { group.isImportant = true }
        if group.isImportant { group.due = due }
        if !group.isImportant, group.ids.count > Self.bound { group.ids.removeFirst() }
        groups[key] = group
    }

    /// Removes the groups beyond the bound that have waited longest for an important change.
    ///
    /// - Returns: How many there were.
    mutating func removeOldest() -> Int {
        let unimportant = groups.filter { !$0.value.isImportant }
        let excess = unimportant.count - Self.groupBound
        guard excess > 0 else { return 0 }
        let oldest = unimportant.sorted { ($0.value.ids.last ?? 0) < ($1.value.ids.last ?? 0) }
        for (key, _) in oldest.prefix(excess) { groups[key] = nil }
        return excess
    }

    /// Notes the source of a change.
    mutating func note(_ stamp: SourceStamp) { stamps[stamp.codebase] = stamp }

    /// Removes a group, because its changes are built.
    mutating func remove(_ key: String = "") { groups[key] = nil }

    /// Lets no group wait for longer than until a time.
    mutating func hasten(to latest: Date) {
        groups = groups.mapValues { group in
            var group = group
            group.due = group.due.map { min($0, latest) }
            return group
        }
    }

    /// The time at which the first group is to be built.
    var due: Date? { groups.values.compactMap(\.due).min() }

    /// The groups to be built by now, those that are due first.
    func due(at moment: Date) -> [String] {
        let due = groups.compactMap { key, group in group.due.map { (key: key, due: $0) } }
            .filter { $0.due <= moment }
        return due.sorted { ($0.due, $0.key) < ($1.due, $1.key) }.map(\.key)
    }

    /// The sources of changes: the newest of each codebase, and the last known ones of the others
    /// if they are wanted.
    func sourceStamps(of changes: [Change], isAbsolute: Bool) -> [SourceStamp] {
        var found = isAbsolute ? stamps : [:]
        for change in changes { found[change.codebase] = change.sourceStamp }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension FollowedChanges {
    /// Reads a state; `nil` if it is that of a scheduler that did not follow changes.
    init?(_ state: JSONValue?) {
        guard let seen = state?["seen"]?.intValue else { return nil }
        self.init(after: seen)
        for entry in state?["collected"]?.arrayValue ?? [] {
            let ids = entry["changes"]?.arrayValue?.compactMap(\.intValue) ?? []
            groups[entry["of"]?.stringValue ?? ""] = Group(
                ids: ids, isImportant: entry["important"] == true,
                due: entry["due_ms"]?.intValue.map {
                    Date(timeIntervalSince1970: Double($0) / 1000)
                })
        }
        for stamp in state?["sources"]?.arrayValue ?? [] { note(SourceStamp(stamp)) }
    }

    /// The state, to be merged with others of the scheduler.
    var state: JSONObject {
        let collected = groups.sorted { $0.key < $1.key }.map { key, group in
            var entry: JSONObject = [
                "of": .string(key), "changes": .array(group.ids.map { .int($0) }),
                "important": .bool(group.isImportant),
            ]
            if let due = group.due { entry["due_ms"] = .milliseconds(due) }
            return JSONValue.object(entry)
        }
        var state: JSONObject = ["seen": .int(seen), "collected": .array(collected)]
        if !stamps.isEmpty {
            state["sources"] = .array(stamps.sorted { $0.key < $1.key }.map(\.value.state))
        }
        return state
    }
}

extension JSONValue {
    /// The milliseconds since 1970, rounded up so that nothing is due too early.
    static func milliseconds(_ moment: Date) -> JSONValue {
        .int(Int((moment.timeIntervalSince1970 * 1000).rounded(.up)))
    }
}

extension SourceStamp {
    fileprivate init(_ state: JSONValue) {
        self.init(
            branch: state["branch"]?.stringValue, revision: state["revision"]?.stringValue,
            repository: state["repository"]?.stringValue ?? "",
            project: state["project"]?.stringValue ?? "",
            codebase: state["codebase"]?.stringValue ?? "")
    }

    fileprivate var state: JSONValue {
        var state: JSONObject = [
            "repository": .string(repository), "project": .string(project),
            "codebase": .string(codebase),
        ]
        if let branch { state["branch"] = .string(branch) }
        if let revision { state["revision"] = .string(revision) }
        return .object(state)
    }
}
