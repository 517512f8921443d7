public import MasterKit

/// Triggers builds of other builders, and may wait for them.
public struct Trigger: TriggeringStep, SettingHints {
    /// What the step does.
    public static let summary =
        "Builds other builders, and can wait for them and take their result."

    @Setting(
        "The builders: a name or a list of names.", .primary, .notEmpty, .example("second"))
    var builderNames: Renderable<TriggeredNames>?

    @Setting("Schedulers of the kind schedulers.Triggerable, whose builders are built.", .notEmpty)
    var schedulerNames: Renderable<[SchedulerReference]> = Renderable([])

    @Setting("Wait until the builds have ended, and take the worst of their results.")
    var waitForFinish = Renderable(false)

    @Setting("Builders of 'builderNames' whose results don't count, also for the exit status.")
    var unimportantBuilderNames: Renderable<TriggeredNames> = Renderable(TriggeredNames())

    @Setting("Properties of the builds.", .named("set_properties"))
    var setProperties: Renderable<JSONObject> = Renderable([:])

    @Setting(
        "Names of properties of this build that the builds get, too.", .named("copy_properties"))
    var copyProperties: Renderable<[PropertyName]> = Renderable([])

    @SettingGroup var sources: TriggeredSources

    @Setting("How the builds are related to this one.", .named("parent_relationship"), .notEmpty)
    var parentRelationship: Renderable<String> = Renderable("Triggered from")

    /// Creates an unconfigured step.
    public init() {}

    /// The logs of the step, and the properties that it gives to the builds.
    public var products: StepProducts? {
        let names = setProperties.constant?.map(\.key) ?? setProperties.keysOfComputed
        return StepProducts(
            logs: ["stdio", "builds"], properties: names ?? [], mayHaveOthers: names == nil)
    }

    /// The builders that the step is known to wait for.
    public var awaitedBuilders: [BuilderReference] {
        waitForFinish.constant == true ? builderNames?.constant?.items ?? [] : []
    }

    /// The schedulers that the step triggers.
    public var triggeredSchedulers: [SchedulerReference] { schedulerNames.constant ?? [] }

    /// The schedulers that the step is known to wait for.
    public var awaitedSchedulers: [SchedulerReference] {
        waitForFinish.constant == true ? triggeredSchedulers : []
    }

    /// The builders that the step is known to trigger.
    public var triggeredBuilders: [BuilderReference] { builderNames?.constant?.items ?? [] }

    /// Reports settings that contradict each other.
    public func check(_ settings: SettingsCheck) {
        let areSchedulersGiven = schedulerNames.constant?.isEmpty != true
        if builderNames == nil, !areSchedulersGiven {
            settings.error(
                "steps.Trigger needs 'builderNames' or 'schedulerNames'", at: "builderNames")
        }
        if settings.isGiven("unimportantBuilderNames") {
            if !areSchedulersGiven, let all = builderNames?.constant?.names,
                let other = unimportantBuilderNames.constant?.items.first(where: {
                    !all.contains($0.name)
                })
            {
                settings.error(
                    "'\(other.name)' is not one of 'builderNames'; add it there, or remove it",
                    at: other.range)
            }
        }
    }

    /// Submits the builds and, if asked to, waits for them.
    public func run(in context: StepContext) async throws -> Results {
        let builders: [String] = try context.render(builderNames)?.names ?? []
        let schedulers = try context.render(schedulerNames).map(\.name)
        let names = builders + schedulers
        let requests = try requests(for: builders, and: schedulers, in: context)
        let isWaiting = try context.render(waitForFinish)
        await context.setSummary(
            isWaiting ? "waiting for \(Self.list(names))" : "triggering \(Self.list(names))")
        do {
            guard isWaiting else {
                for request in requests { try await context.trigger(request) }
                await context.setSummary("triggered \(Self.list(names))")
                return .success
            }
            return try await end(of: try await build(requests, in: context), in: context)
        } catch let error as TriggerError {
            await context.setSummary(error.reason)
            try await context.openLog("stdio").line(error.message, to: .stderr)
            return .failure
        }
    }

    /// Waits for the builds of all requests at once.
    private func build(
        _ requests: [BuildsetRequest], in context: StepContext
    ) async throws -> [TriggeredBuild] {
        try await withThrowingTaskGroup(of: (Int, [TriggeredBuild]).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask { (index, try await context.build(request)) }
            }
            var builds: [Int: [TriggeredBuild]] = [:]
            for try await (index, ended) in group { builds[index] = ended }
            return requests.indices.flatMap { builds[$0] ?? [] }
        }
    }

    /// One request for the builders, and one for each scheduler.
    private func requests(
        for builders: [String], and schedulers: [String], in context: StepContext
    ) throws -> [BuildsetRequest] {
        let request = try request(for: builders, in: context)
        let scheduled = schedulers.map { scheduler in
            var copy = request
            copy.builders = nil
            copy.scheduler = scheduler
            return copy
        }
        return (builders.isEmpty ? [] : [request]) + scheduled
    }

    private func request(
        for names: [String], in context: StepContext
    ) throws -> BuildsetRequest {
        var properties = Properties()
        let own = context.properties
        for name in try context.render(copyProperties).map(\.text) {
            guard let entry = own.entries[name] else { continue }
            properties.set(name, entry.value, source: "\(entry.source) (triggering build)")
        }
        for (name, value) in try context.render(setProperties) {
            properties.set(name, value, source: "Trigger")
        }
        let unimportant = try context.render(unimportantBuilderNames).names
        let relationship: String = try context.render(parentRelationship)
        let builder = own["buildername"]?.text ?? context.name
        let title = own["buildnumber"]?.text.map { "\(builder) #\($0)" } ?? builder
        var request = BuildsetRequest(
            builders: names, reason: "triggered by \(title)",
            sourceStamps: try sources.stamps(in: context), properties: properties,
            parentRelationship: relationship)
        request.unimportantBuilders = Set(unimportant)
        return request
    }

    // MARK: End

    /// Tells how the builds ended, and returns the worst of the results that count.
    private func end(of builds: [TriggeredBuild], in context: StepContext) async throws -> Results {
        let unimportant = Set(try context.render(unimportantBuilderNames).names)
        let log = try await context.openLog("builds", kind: .text)
        for build in builds {
            // The text of an exception already begins with this word.
            let name = build.results.name
            let state = build.stateString
            let words = state == name || state.hasPrefix("\(name): ") ? state : "\(name): \(state)"
            try await log.line("\(build.title): \(words)")
        }
        let bad = builds.filter { ![.success, .skipped].contains($0.results) }
        await context.setSummary(
            bad.isEmpty
                ? Self.list(builds.map(\.title))
                : Self.list(bad.map { "\($0.title): \($0.results.name)" }))
        let worst = builds.filter { !unimportant.contains($0.builder) }.map(\.results)
            .reduce(Results.success) { Results.worst($0, $1) ?? $0 }
        // A lost worker of another build is no reason to repeat this one.
        return worst == .retry ? .exception : worst
    }

    /// The most names that a state text lists.
    private static let longestList = 5

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(longestList).joined(separator: ", ")
        let left = names.count - longestList
        return left > 0 ? "\(shown) and \(left) more" : shown
    }

    /// A hint for a setting that this step does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "unimportantSchedulerNames": "write 'unimportantBuilderNames'"
        case "builderName", "builders", "builder": "write 'builderNames'"
        case "schedulers", "scheduler", "schedulerName": "write 'schedulerNames'"
        case "properties": "write 'set_properties'"
        case "wait": "write 'waitForFinish'"
        default: nil
        }
    }
}

/// The settings for which sources triggered builds get.
struct TriggeredSources: Settings {
    @Setting("Give the builds the revisions that this build got (got_revision).")
    var updateSourceStamp = Renderable(true)

    @Setting("Give the builds this build's sources, but of the latest revision.")
    var alwaysUseLatest = Renderable(false)

    @Setting("The source of the builds: {branch, revision, repository, project, codebase}.")
    var sourceStamp: Renderable<StampSetting?>

    @Setting("The sources of the builds, one for each codebase.", .notEmpty)
    var sourceStamps: Renderable<[StampSetting]?>

    func check(_ settings: SettingsCheck) {
        let given = ["sourceStamp", "sourceStamps", "alwaysUseLatest", "updateSourceStamp"]
            .filter {
                switch $0 {
                case "alwaysUseLatest": settings.isGiven($0) && alwaysUseLatest.constant != false
                case "updateSourceStamp":
                    settings.isGiven($0) && updateSourceStamp.constant != false
                default: settings.isGiven($0)
                }
            }
        if given.count > 1 {
            settings.error(
                "'\(given[0])' and '\(given[1])' exclude each other; keep one", at: given[1])
        }
    }

    /// The source stamps, by default those of this build with the revisions that it got.
    func stamps(in context: StepContext) throws -> [SourceStamp] {
        let given =
            try context.render(sourceStamps) ?? context.render(sourceStamp).map { [$0] }
        if let given { return given.map(\.stamp) }
        let isLatest = try context.render(alwaysUseLatest)
        let isUpdated = try context.render(updateSourceStamp)
        let got = context.properties["got_revision"]
        return context.sourceStamps.map { stamp in
            var copy = SourceStamp(
                branch: stamp.branch, revision: stamp.revision, repository: stamp.repository,
                project: stamp.project, codebase: stamp.codebase)
            if isLatest {
                copy.revision = nil
            } else if isUpdated {
                let revision = got?.objectValue?[stamp.codebase]?.stringValue ?? got?.stringValue
                copy.revision = revision ?? stamp.revision
            }
            return copy
        }
    }
}

/// A source stamp in a setting.
struct StampSetting: SettingValue {
    let stamp: SourceStamp

    static var shape: String { "a mapping of branch, revision, repository, project and codebase" }

    static var form: ValueForm { .settings(Form.self) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StampSetting? {
        guard node.mapping != nil else { return decoder.mismatch(node, expected: shape) }
        let form = decoder.read(Form.self, from: node, owner: decoder.subject, at: node.range)
        return form.map {
            StampSetting(
                stamp: SourceStamp(
                    branch: $0.branch, revision: $0.revision, repository: $0.repository,
                    project: $0.project, codebase: $0.codebase))
        }
    }

    private struct Form: Settings {
        @Setting("The branch; null for the default one.") var branch: String?
        @Setting("The revision; null for the latest.") var revision: String?
        @Setting("The repository.") var repository = ""
        @Setting("The project.") var project = ""
        @Setting("The codebase.") var codebase = ""
    }
}

/// The name of a builder, or a list of names.
struct TriggeredNames: SettingValue {
    var items: [BuilderReference] = []

    var names: [String] { items.map(\.name) }

    static var shape: String { "the name of a builder or a list of names" }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TriggeredNames? {
        guard node.sequence != nil else {
            return decoder.decode(BuilderReference.self, from: node).map {
                TriggeredNames(items: [$0])
            }
        }
        return decoder.decode([BuilderReference].self, from: node).map {
            TriggeredNames(items: $0)
        }
    }
}
