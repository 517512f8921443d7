internal import Dispatch
internal import MasterKit
internal import SystemPackage

/// Runs one build of one request, step by step.
struct BuildRunner: Sendable {
    let requestID: Int
    let builder: BuilderConfiguration
    let lease: WorkerPool.Lease
    let shared: BuildEnvironment
    let control: BuildControl
    /// Whether another build waits for it, which triggers it again if it is run again itself.
    var isAwaited = false
    /// Accepts the builds that steps trigger.
    let submissions: Submissions
    /// The steps to run.
    var steps = StepSelection()
    /// The reason for skipping the build, such as the failure of a builder that it needs.
    var skipReason: String?

    /// Runs the build.
    ///
    /// - Returns: The finished build, whose result is retry only if it is to be run again; `nil` if
    ///   the request has been finished without a build, as another one is built in its place.
    /// - Throws: An error if the store has failed.
    func run() async throws(StoreError) -> FinishedBuild? {
        guard let (started, submitted, retries) = try await start() else { return nil }
        let build = BuildState(
            build: started, builder: builder, sourceStamps: submitted.sourceStamps,
            secrets: shared.secrets,
            worker: lease.details.merging([
                "name": .string(lease.worker.name), "basedir": .string(folders.basedir),
            ]), builddir: folders.builddir,
            identity: shared.configuration.identity)
        do {
            if let missing = submitted.missing { throw missing }
            if skipReason == nil {
                try await makeFolder()
                try await runSteps(of: build, in: shared.session(), within: limit(of: build))
            }
        } catch {
            let results: Results = error is WorkerLost ? .retry : .exception
            if error is WorkerLost { build.noteLoss() }
            build.contribute(results)
            // Nothing else tells the remedy, as there is no log.
            build.tell("\(results.name): \((error as? RenderError)?.message ?? "\(error)")")
        }
        for error in await build.programs.stopAll("stopped at the end of the build") {
            if error is WorkerLost { build.noteLoss() }
            build.contribute(error is WorkerLost ? .retry : .exception)
            build.tell("\(error)")
        }
        return try await finish(
            build, mayRetry: retries < RequestDistributor.maximumRetries)
    }

    // MARK: Start

    private func start() async throws(StoreError) -> (Build, SubmittedValues, retries: Int)? {
        try await shared.store.write { transaction in
            let request = try transaction.request(requestID)
            guard request.completeAt == nil else { return nil }
            let buildset = try transaction.buildset(request.buildsetID)
            let submitted = try transaction.submitted(buildset, shared.secrets)
            var build = try transaction.claim(
                requestID, builder: try transaction.builder(request.builderID),
                workerID: lease.workerID)
            build.properties = properties(of: build, submitted)
            try transaction.announce(
                build.id, properties: shared.mask.masked(build.properties))
            return (build, submitted, try transaction.retries(of: requestID))
        }
    }

    /// Creates the build's own folder, and that of its steps unless it is the folder of the file.
    private func makeFolder() async throws {
        let paths = Set([folders.builddir, folders.steps])
        for path in paths.subtracting([shared.configuration.folder]).sorted() {
            _ = try await lease.worker.run(.mkdir(Command.MakeDirectory(path))) { _ in }
        }
    }

    /// Where the build runs.
    private var folders: BuildFolders {
        guard let basedir = lease.basedir else {
            return BuildFolders(
                basedir: shared.basedir, builddir: builder.builddir(in: shared.basedir),
                steps: builder.stepFolder(in: shared.configuration, shared.basedir))
        }
        let builddir = "\(basedir)/\(FilePaths.component(builder.name))"
        return BuildFolders(basedir: basedir, builddir: builddir, steps: "\(builddir)/build")
    }

    private func properties(of build: Build, _ submitted: SubmittedValues) -> Properties {
        Properties(
            of: builder, in: shared.configuration, submitted, worker: lease.worker.name,
            folders: folders, ofWorker: lease.properties, defaults: lease.defaults,
            numbers: (build.builderID, build.number))
    }

    // MARK: Steps

    private func limit(of build: BuildState) throws(RenderError) -> Duration? {
        try builder.maxTime?.render(in: build.renderContext)
    }

    private func runSteps(
        of build: BuildState, in session: HTTPSession, within limit: Duration?
    ) async {
        guard let limit else { return await runSteps(of: build, in: session) }
        await withDiscardingTaskGroup { group in
            group.addTask {
                do {
                    try await control.sleep(for: limit)
                } catch {
                    return  // The steps have ended, or the master ends and stops the build.
                }
                control.timeOut()
            }
            await runSteps(of: build, in: session)
            group.cancelAll()
        }
    }

    private func runSteps(of build: BuildState, in session: HTTPSession) async {
        var plan = StepPlan(builder: builder, folder: folders.steps)
        var selection = steps
        var hasEnded = false
        for declaration in builder.steps {
            if shared.store.failure != nil { return }
            let step = plan.next(declaration, in: build.renderContext)
            let isOver = hasEnded || control.stopReason != nil || control.isTimedOut
            if control.isAbandoned || isOver && !step.policy.alwaysRun {
                if !hasEnded { build.noteCutShort() }
                let name = plan.reserve(shared.mask.apply(to: step.name))
                if selection.takes(name) { build.note(notReached: name) }
                continue
            }
            let name = plan.take(shared.mask.apply(to: step.name))
            guard selection.takes(name) else { continue }
            let runner = StepRunner(
                step: step, name: name, number: plan.count, build: build, worker: lease.worker,
                shared: shared, session: session, control: control, submissions: submissions)
            if await runner.run() { hasEnded = true }
        }
    }

    // MARK: End

    private func finish(
        _ build: BuildState, mayRetry: Bool
    ) async throws(StoreError) -> FinishedBuild {
        let stopReason = control.stopReason
        let isTimedOut = control.isTimedOut
        if isTimedOut { build.contribute(.failure) }
        let isInterrupted = control.isInterrupted && !isAwaited
        if stopReason != nil, !isInterrupted { build.contribute(.cancelled) }
        let isPostponed = isInterrupted && (build.isCutShort || build.results == .cancelled)
        let isRetried = isPostponed || build.results == .retry && mayRetry
        let isSkipped = skipReason != nil && build.results == .success
        let isGivenUp = build.results == .retry && !isRetried && build.isWorkerLost
        let results: Results =
            isPostponed
            ? .retry : isSkipped ? .skipped : isGivenUp ? .exception : build.results
        if isGivenUp { build.tell("worker lost \(RequestDistributor.maximumRetries + 1) times") }
        let text = shared.mask.masked(
            state: Self.stateString(
                results, stopReason: stopReason, isTimedOut: isTimedOut,
                isSkipped ? skipReason.map { ["(\($0))"] } ?? [] : build.summaries))
        let (id, properties) = (build.build.id, shared.mask.masked(build.properties))
        let (finished, steps) = try await shared.store.write { transaction in
            if isRetried, !isPostponed { try transaction.noteRetry(of: requestID) }
            let finished = try transaction.finishBuild(
                id, results: results, stateString: text, properties: properties,
                outcome: isRetried ? .retried : .finished)
            return (finished, try StepRecord.all(ofBuild: id, in: transaction.database))
        }
        return FinishedBuild(
            builder: builder.name, build: finished, steps: steps, logs: build.logs,
            notReached: isRetried ? [] : build.notReached, isRetried: isRetried)
    }

    /// How long the text may become before further summaries are only counted.
    private static let longestText = 160

    private static func stateString(
        _ results: Results, stopReason: String?, isTimedOut: Bool = false, _ summaries: [String]
    ) -> String {
        var words =
            switch results {
            case .success: ["build successful"]
            case .failure: ["failed"]
            default: [results.name]
            }
        if let stopReason { words.append("(\(stopReason))") }
        if isTimedOut { words.append("(timed out)") }
        var rest = summaries[...]
        // The text of an exception already begins with this word.
        if words == [results.name], let first = rest.first,
            first == results.name || first.hasPrefix("\(results.name): ")
        {
            words = [rest.removeFirst()]
        }
        var text = words.joined(separator: " ")
        while let next = rest.first,
            rest.count == summaries.count || text.count + next.count < longestText
        { text += " \(rest.removeFirst())" }
        return rest.isEmpty ? text : "\(text) and \(rest.count) more"
    }
}

/// The environment of a build: the configuration in force when it began, and what all builds of a
/// master share.
struct BuildEnvironment: Sendable {
    /// The number of this configuration, counting from the master's first.
    let number: Int
    let configuration: MasterConfiguration
    let secrets: SecretValues
    let store: Store
    let http: HTTPClient
    /// The session shared by all builds, if the file configures one.
    let sharedSession: HTTPSession?
    let basedir: String
    let aids: DeveloperAids
    let logQueue: DispatchQueue
    /// Lets others follow the builds' logs.
    let logs: LogBroadcaster
    let logger: Logger
    /// Runs commands on the master's machine; the same restrictions on deletion apply as for a
    /// worker.
    let master: LocalWorker

    var mask: SecretMask { secrets.mask }

    /// The same environment with another configuration.
    func following(
        _ configuration: MasterConfiguration, _ secrets: SecretValues
    ) -> BuildEnvironment {
        var session: HTTPSession?
        if configuration.httpSession == .shared {
            session = sharedSession
            if session == nil { session = http.makeSession() }
        }
        return BuildEnvironment(
            number: number + 1, configuration: configuration, secrets: secrets, store: store,
            http: http, sharedSession: session, basedir: basedir, aids: aids, logQueue: logQueue,
            logs: logs, logger: logger, master: master.withholding(secrets.withheldVariables))
    }

    /// The session for one build.
    func session() -> HTTPSession { sharedSession ?? http.makeSession() }

}

extension BuildEnvironment {
    /// Creates the environment of a master's first configuration.
    init(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, store: Store,
        http: HTTPClient, basedir: String, aids: DeveloperAids = DeveloperAids(), logger: Logger
    ) {
        self.init(
            number: 1, configuration: configuration, secrets: secrets, store: store, http: http,
            sharedSession: configuration.httpSession == .shared ? http.makeSession() : nil,
            basedir: basedir, aids: aids, logQueue: DispatchQueue(label: "buildmaster.logs"),
            logs: LogBroadcaster(), logger: secrets.mask.apply(to: logger),
            master: LocalWorker(
                basedir: basedir, name: "master", withholding: secrets.withheldVariables,
                configuration: FilePath(configuration.path).lastComponent.map {
                    FilePath(configuration.folder).appending($0)
                }))
    }
}

/// The folders of a build on its worker.
struct BuildFolders: Sendable {
    /// The folder of the worker.
    let basedir: String
    /// The folder of the builder.
    let builddir: String
    /// The folder in which its steps run.
    let steps: String
}

extension BuilderConfiguration {
    /// The builder's folder.
    func builddir(in basedir: String) -> String {
        basedir + "/work/" + FilePaths.component(name)
    }

    /// Whether a step fetches sources.
    package var hasSources: Bool { steps.contains { $0.plugin is any SourceStep } }

    /// The folder in which its steps run: with a source step in one of its own.
    func stepFolder(in configuration: MasterConfiguration, _ basedir: String) -> String {
        hasSources ? builddir(in: basedir) + "/build" : configuration.folder
    }
}

extension Properties {
    /// Creates the initial properties of a build; later ones take precedence: defaults
    /// of the worker, file, builder, worker, build, request. But a request can't choose the names
    /// and numbers of builder, worker and build.
    ///
    /// Without `numbers`, which are known once the build is stored, the two properties for them are
    /// missing.
    init(
        of builder: BuilderConfiguration, in configuration: MasterConfiguration,
        _ submitted: SubmittedValues, worker: String, folders: BuildFolders,
        ofWorker own: JSONObject = [:], defaults: JSONObject = [:],
        numbers: (builder: Int, build: Int)?
    ) {
        self = Properties(defaults, source: "Worker")
        merge(configuration.properties)
        merge(builder.properties)
        set("buildername", .string(builder.name), source: "Builder")
        if let numbers { set("builderid", .int(numbers.builder), source: "Builder") }
        merge(Properties(own, source: "Worker"))
        set("workername", .string(worker), source: "Worker")
        if let numbers { set("buildnumber", .int(numbers.build), source: "Build") }
        if submitted.sourceStamps.count == 1, let stamp = submitted.sourceStamps.first {
            set(stamp)
        }
        set("scheduler", "run", source: "Scheduler")
        let fixed = Self.fixedNames.compactMap { name in entries[name].map { (name, $0) } }
        merge(submitted.properties)
        for (name, entry) in fixed { set(name, entry.value, source: entry.source) }
        set("basedir", .string(folders.basedir), source: "Worker")
        set("builddir", .string(folders.builddir), source: "Worker")
        switch self["owner"] {
        case .string(let owner): set("owners", .array([.string(owner)]), source: "Build")
        case .array(let owners): set("owners", .array(owners), source: "Build")
        default: break
        }
    }
}
