public import MasterKit

/// Builds when a step of another build triggers it.
public struct Triggerable: TriggeredScheduler {
    /// What the scheduler does.
    public static let summary = "Builds when steps.Trigger names it."

    /// Creates an unconfigured scheduler.
    public init() {}
}

/// Builds when a person asks for it, by `force`.
public struct ForceScheduler: ForcedScheduler {
    /// What the scheduler does.
    public static let summary = "Lets people build its builders, with values for its parameters."

    /// What people can set.
    @Setting(
        "What people can set: util.StringParameter, util.IntParameter and so on.",
        .named("properties"), .replacesOption)
    public var parameters: [ForceParameter] = []

    /// The title of its form.
    @Setting("The title of its form; by default its name.", .named("label"))
    public var formTitle: String?

    /// The text of the button that opens the form.
    @Setting("The text of the button that opens it; by default its name.", .named("buttonName"))
    public var buttonText: String?

    @Setting(
        "The field for the name of a person who has not logged in.", .named("username"))
    var user: ForceField?

    @Setting("The field for the reason, or a fixed reason.", .replacesOption)
    var reason: ForceField?

    /// The reason of the builds.
    @Setting(
        "The reason of the builds, in which %(owner)s and %(reason)s stand for what is entered.",
        .named("reasonString"))
    public var reasonFormat = "A build was forced by '%(owner)s': %(reason)s"

    /// The sources that are built.
    @Setting("The sources that are built; by default one codebase without a name.", .notEmpty)
    public var codebases: [ForceCodebase] = [.unnamed]

    /// Creates an unconfigured scheduler.
    public init() {}

    /// The field for the name of a person.
    public var userField: ForceParameter { user?.parameter(named: "username") ?? .standardUser }

    /// The field for the reason.
    public var reasonField: ForceParameter {
        reason?.parameter(named: "reason") ?? .standardReason
    }

    /// Rejects two fields of the same name, and names that mean something else.
    public func check(_ settings: SettingsCheck) {
        let properties = Self.properties(of: parameters)
        for name in ["builderid", "builderNames", "owner"]
        where properties.contains(where: { $0.name == name }) {
            settings.error(
                "a parameter can't be named '\(name)', which every forced build has; rename it",
                at: "properties")
        }
        let fields = [
            "branch", "priority", "project", "reason", "repository", "revision", "username",
        ]
        for name in fields
        where properties.contains(where: { $0.name == name && $0.kind == .nested }) {
            settings.error(
                "a nested parameter can't be named '\(name)', as a field of every form is; "
                    + "rename it", at: "properties")
        }
        let keys = parameters.flatMap(\.leaves).map(\.key)
        for name in Self.repeated(keys) ?? Self.repeated(properties.map(\.name)) ?? [] {
            settings.error("two parameters are named '\(name)'; rename one", at: "properties")
        }
        for name in Self.repeated(codebases.map(\.name)) ?? [] {
            settings.error("two codebases are named '\(name)'; rename one", at: "codebases")
        }
    }

    /// The parameters that are a property each.
    private static func properties(of parameters: [ForceParameter]) -> [ForceParameter] {
        parameters.flatMap { parameter in
            parameter.kind == .nested && parameter.name.isEmpty
                ? properties(of: parameter.fields) : [parameter]
        }
    }

    /// The names that are not the first of their kind, or `nil` if there are none.
    private static func repeated(_ names: [String]) -> [String]? {
        var taken: Set<String> = []
        let repeated = names.filter { !taken.insert($0).inserted }
        return repeated.isEmpty ? nil : repeated
    }
}

extension ForceScheduler: SettingHints {
    /// A hint for fields that older versions of Buildbot have beside each other.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "branch", "revision", "repository", "project":
            "write 'codebases: [util.CodebaseParameter: {codebase: \"\", \(name): …}]'"
        case "codebase": "write 'codebases'"
        default: nil
        }
    }
}

/// Builds the same sources after the builds of another scheduler have succeeded.
public struct Dependent: Scheduler {
    /// What the scheduler does.
    public static let summary = "Builds after the builds of another scheduler have succeeded."

    @Setting("The name of the other scheduler.") var upstream: SchedulerReference

    /// Creates an unconfigured scheduler.
    public init() {}

    /// The other scheduler.
    public var upstreams: [SchedulerReference] { [upstream] }

    /// Tells when to look; what has happened is read from the store.
    public let wantedEvents: Set<EventKind> = [.buildsetNew, .buildsetFinished]

    /// What has been seen of the other scheduler's buildsets.
    private struct Progress {
        /// The other scheduler.
        let upstream: String
        /// The id after the newest buildset that was seen.
        var next = 1
        /// The buildsets that had not ended.
        var open: [Int] = []

        init(upstream: String) {
            self.upstream = upstream
        }

        /// Reads a state; `nil` if there is none, or if it is about another scheduler.
        init?(_ state: JSONValue?, upstream: String) {
            guard let state, (state["upstream"]?.stringValue ?? upstream) == upstream else {
                return nil
            }
            self.init(upstream: upstream)
            next = state["next"]?.intValue ?? 1
            open = state["open"]?.arrayValue?.compactMap(\.intValue) ?? []
        }

        var state: JSONValue {
            .object([
                "upstream": .string(upstream), "next": .int(next),
                "open": .array(open.map { .int($0) }),
            ])
        }

        mutating func note(_ buildset: ScheduledBuildset) {
            next = max(next, buildset.id + 1)
            open.removeAll { $0 == buildset.id }
            if buildset.results == nil { open.append(buildset.id) }
        }
    }

    /// Follows the other scheduler from its first start on, also through restarts; another one from
    /// the time at which the file names it.
    public func run(in context: SchedulerContext) async throws {
        var progress = Progress(upstream: upstream.name)
        if let saved = Progress(try await context.state(), upstream: upstream.name) {
            progress = saved
        } else {
            // What ended before has nothing to do with this scheduler.
            for buildset in try await context.buildsets(of: upstream.name, from: 1) {
                progress.note(buildset)
            }
            try await context.save(progress.state)
        }
        try await look(&progress, context)
        for await _ in context.events { try await look(&progress, context) }
    }

    private func look(_ progress: inout Progress, _ context: SchedulerContext) async throws {
        let before = progress.state
        for buildset in try await context.buildsets(
            of: upstream.name, from: progress.next, and: progress.open)
        {
            progress.note(buildset)
            guard buildset.results == .success || buildset.results == .warnings else { continue }
            try await context.submit(
                reason: "downstream", sourceStamps: buildset.sourceStamps,
                changes: try await context.changes(buildset.changeIDs), saving: progress.state)
        }
        if progress.state != before { try await context.save(progress.state) }
    }
}
