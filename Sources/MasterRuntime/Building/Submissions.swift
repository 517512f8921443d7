internal import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// Stores buildsets, has their requests built, and lets others wait for the builds.
final class Submissions: Service {
    let distributor: RequestDistributor
    private let configuration: RunningConfiguration
    /// Whether pending requests are left to the next master.
    private let resumesRequests: Bool
    /// The submitted buildsets, until somebody has waited for them.
    private let open = Mutex<[Int: BuildsetProgress]>([:])

    init(
        _ distributor: RequestDistributor, _ configuration: RunningConfiguration,
        resumesRequests: Bool
    ) {
        self.distributor = distributor
        self.configuration = configuration
        self.resumesRequests = resumesRequests
    }

    /// Runs builds until the master shuts down.
    func run() async {
        await distributor.run(for: self)
    }

    /// How many buildsets were submitted that nobody has waited for yet.
    var count: Int { open.withLock(\.count) }

    // MARK: Submitting

    /// Who submits builds.
    enum Origin: Sendable {
        /// Somebody who waits for them.
        case user
        /// A service, which does not wait for them.
        case service
        /// A step of a build, and whether it waits for them.
        case step(of: Build, waits: Bool)
    }

    /// Submits a buildset, and makes another change in the same transaction.
    ///
    /// A master that stays up doesn't keep the progress of buildsets that nobody waits for, and
    /// doesn't build pending requests that ask for the same.
    ///
    /// - Parameters:
    ///   - wanted: The request.
    ///   - carried: Changes that the builds are made for, too, without their properties.
    ///   - steps: The steps that are run.
    ///   - who: Who submits it.
    ///   - change: Makes the other change.
    /// - Returns: The buildset, and its progress.
    /// - Throws: ``MasterError`` for an unknown builder, if there is nothing to build, for
    ///   properties that are too large, or for a builder that has triggered the build that submits
    ///   the buildset; ``StoreError``.
    func submit(
        _ wanted: BuildsetRequest, carrying carried: [Change] = [],
        steps: StepSelection = StepSelection(), by who: Origin = .user,
        with change: @escaping @Sendable (StoreTransaction) throws -> Void = { _ in }
    ) async throws -> (Submission, BuildsetProgress) {
        var completed = wanted
        for change in wanted.changes { completed.properties.merge(change.buildProperties) }
        if let scheduler = wanted.properties.entries["scheduler"] {
            // Whose builds they are does not depend on what a hook sends.
            completed.properties.set("scheduler", scheduler.value, source: scheduler.source)
        }
        let wanted = completed
        let environment = configuration.current
        let builders = try environment.configuration.builders(for: wanted)
        try environment.configuration.checkSize(of: wanted.properties, of: builders)
        if let parent = wanted.parentBuildID {
            try await environment.store.checkChain(of: parent, builders)
        }
        let mask = environment.mask
        let references = SecretReferences(secrets: environment.secrets).stored(of: wanted)
        let origin: RequestOrigin = resumesRequests ? .service : .run
        var parent: Int?
        var isUnimportant = false
        if case .step(let build, let waits) = who {
            if waits { parent = build.requestID }
            isUnimportant = distributor.isUnimportant(build.requestID)
        }
        let isWaitedFor = parent != nil
        let isCollapsible = if case .user = who { false } else { true }
        // One that is waited for may be cancelled with what waits for it.
        let collapses = resumesRequests && !isWaitedFor
        let relationship = wanted.parentBuildID == nil ? nil : "Triggered from"
        let (submission, collapsed) = try await environment.store.write { transaction in
            let rows = try builders.map {
                try transaction.builder(
                    named: $0.name, description: $0.description, tags: $0.tags)
            }
            let buildset = Buildset(
                id: 0, reason: wanted.reason, submittedAt: transaction.now,
                sourceStamps: wanted.sourceStamps, parentBuildID: wanted.parentBuildID,
                parentRelationship: wanted.parentRelationship ?? relationship,
                rebuiltBuildID: wanted.rebuiltBuildID)
            let submission = try transaction.submit(
                mask.masked(buildset), builders: rows, properties: mask.masked(wanted.properties),
                priority: wanted.priority, waitedFor: isWaitedFor, isCollapsible: isCollapsible,
                origin: origin, references: references)
            try transaction.link(wanted.changes + carried, toBuildset: submission.buildset.id)
            let collapsed =
                collapses
                ? try transaction.collapse(into: submission, environment.configuration.builders)
                : []
            try change(transaction)
            return (submission, collapsed)
        }
        distributor.forget(collapsed: collapsed)
        let progress = BuildsetProgress(requestCount: builders.count)
        if keeps(who) { open.withLock { $0[submission.buildset.id] = progress } }
        await distributor.add(
            RequestDistributor.pending(
                submission.requests, of: builders, progress, steps,
                on: ForceForm.worker(chosenIn: wanted.properties), awaitedBy: parent
            ) { [isUnimportant] in isUnimportant || wanted.unimportantBuilders.contains($0) })
        return (submission, progress)
    }

    /// Whether somebody waits for the builds here: whoever has submitted them, or the end of a
    /// single run.
    private func keeps(_ who: Origin) -> Bool {
        if case .user = who { return true }
        return !resumesRequests
    }

    /// Submits builds for a step.
    func trigger(
        _ wanted: BuildsetRequest, by build: Build, waits: Bool,
        _ link: (_ name: String, _ url: String) async -> Void
    ) async throws -> (Submission, BuildsetProgress) {
        var wanted = try configuration.current.configuration.completing(wanted)
        guard wanted.builders?.isEmpty == false else {
            throw TriggerError("no builder is named, so there is nothing to trigger")
        }
        wanted.parentBuildID = build.id
        if wanted.properties["scheduler"] == nil {
            wanted.properties.set("scheduler", "trigger", source: "Scheduler")
        }
        let changes = try await configuration.current.store.read { database in
            try Change.all(ofBuild: build.id, in: database)
        }
        let carried = changes.filter { change in
            wanted.sourceStamps.contains { $0.isSameLine(as: change.sourceStamp) }
        }
        do {
            let (submission, progress) = try await submit(
                wanted, carrying: carried, by: .step(of: build, waits: waits))
            let identity = configuration.current.configuration.identity
            for (name, id) in zip((wanted.builders ?? []).uniqued(), submission.requestIDs) {
                await link(Self.link(name, id), identity.url(ofRequest: id))
            }
            return (submission, progress)
        } catch let error as MasterError {
            throw TriggerError(error.message)
        }
    }

    /// Submits builds for a step, and waits until they have ended.
    func build(
        _ wanted: BuildsetRequest, by build: Build, of builder: String,
        _ link: (_ name: String, _ url: String) async -> Void
    ) async throws -> [TriggeredBuild] {
        let wanted = try configuration.current.configuration.completing(wanted)
        let (submission, progress) = try await trigger(
            wanted, by: build, waits: true, link)
        let finished: [FinishedBuild]
        do {
            finished = try await distributor.wait(
                for: Set(submission.requestIDs), progress, by: build.requestID,
                stopping: "\(builder) #\(build.number) no longer waits for it")
        } catch let error as Deadlock {
            throw TriggerError("\(error)")
        }
        let identity = configuration.current.configuration.identity
        var builds: [TriggeredBuild] = []
        for (request, name) in zip(submission.requests, (wanted.builders ?? []).uniqued()) {
            let last = finished.last { $0.build.requestID == request.id }
            if let number = last?.build.number {
                await link(
                    Self.link(name, request.id),
                    identity.url(ofBuild: number, builderID: request.builderID))
            }
            builds.append(
                TriggeredBuild(
                    builder: name, number: last?.build.number,
                    results: last?.build.results ?? .cancelled,
                    stateString: last?.build.stateString
                        ?? progress.reason(forCancelling: request.id).map { "cancelled (\($0))" }
                        ?? "cancelled before it began",
                    properties: last?.build.properties ?? Properties()))
        }
        return builds
    }

    /// The name of the link to a triggered build: first to its request, then to itself.
    private static func link(_ builder: String, _ request: Int) -> String {
        "\(builder) (request \(request))"
    }

    // MARK: Waiting

    /// Waits until every build of a buildset has finished.
    func wait(for buildset: Int) async throws(StoreError) -> [FinishedBuild] {
        guard let progress = open.withLock({ $0[buildset] }) else { return [] }
        let builds = try await progress.wait()
        open.withLock { $0[buildset] = nil }
        return builds
    }

    /// Waits for all builds that nobody has waited for.
    func waitForAll() async throws(StoreError) -> [FinishedBuild] {
        var builds: [FinishedBuild] = []
        while true {
            let ids = open.withLock { $0.keys.sorted() }
            guard !ids.isEmpty else { return builds }
            for id in ids { builds += try await wait(for: id) }
        }
    }
}

extension MasterConfiguration {
    /// Rejects properties that would be too large for a build even before any step sets one.
    fileprivate func checkSize(
        of wanted: Properties, of builders: [BuilderConfiguration]
    ) throws(MasterError) {
        for builder in builders {
            var properties = properties
            properties.merge(builder.properties)
            properties.merge(wanted)
            do {
                try properties.checkSize()
            } catch {
                throw MasterError(.tooLarge, "\(error)")
            }
        }
    }

    /// The builders that a request names, or all but those that only other builds trigger.
    fileprivate func builders(
        for wanted: BuildsetRequest
    ) throws(MasterError) -> [BuilderConfiguration] {
        guard let names = wanted.builders else {
            let builders = builders.filter { !$0.isTriggeredOnly }
            guard builders.isEmpty else { return builders }
            throw MasterError(
                .nothingToBuild, "all builders are 'triggeredOnly'; name the one to be run")
        }
        return try names.uniqued().map { name throws(MasterError) in
            if let builder = builders[name] { return builder }
            let remedy = Suggestion.remedy(for: name, among: builders.map(\.name))
            throw MasterError(.unknownBuilder, "there is no builder '\(name)'; \(remedy)")
        }
    }
}

extension Store {
    /// Rejects builders that have triggered the build that triggers them, as this would never end.
    fileprivate func checkChain(
        of build: Int, _ builders: [BuilderConfiguration]
    ) async throws {
        let chain = try await read { try Build.triggerChain(endingIn: build, in: $0) }
        for builder in builders {
            guard let start = chain.firstIndex(of: builder.name) else { continue }
            let path = (chain[start...] + [builder.name]).map { "'\($0)'" }
            throw MasterError(
                .triggersItself,
                "'\(builder.name)' can't be triggered by a build that it has triggered itself: "
                    + path.joined(separator: " → "))
        }
    }
}

extension SourceStamp {
    /// Whether another source stamp is of the same branch.
    fileprivate func isSameLine(as other: SourceStamp) -> Bool {
        branch == other.branch && repository == other.repository && project == other.project
            && codebase == other.codebase
    }
}

extension [String] {
    /// The strings without repetitions.
    fileprivate func uniqued() -> [String] {
        var taken: Set<String> = []
        return filter { taken.insert($0).inserted }
    }
}
