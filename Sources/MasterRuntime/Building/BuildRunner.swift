internal import Dispatch
internal import MasterKit

/// Runs one build of one request, step by step.
struct BuildRunner: Sendable {
    let requestID: Int
    let builder: BuilderConfiguration
    let lease: WorkerPool.Lease
    let shared: BuildEnvironment
    let control: BuildControl
    /// Whether a build that ends with retry is run again.
    let mayRetry: Bool

    /// Runs the build.
    ///
    /// - Returns: The finished build; its result is retry only if it is to be run again.
    /// - Throws: An error if the store has failed.
    func run() async throws(StoreError) -> FinishedBuild {
        let (started, submitted) = try await start()
        let build = BuildState(
            build: started, builder: builder, sourceStamps: submitted.sourceStamps,
            secrets: shared.secrets,
            worker: ["name": .string(lease.worker.name), "basedir": .string(shared.basedir)],
            identity: shared.configuration.identity)
        do {
            if let missing = submitted.missing { throw missing }
            try await makeFolder()
            try await runSteps(of: build, in: shared.session(), within: limit(of: build))
        } catch {
            build.contribute(error is WorkerLost ? .retry : .exception)
            build.tell("\(error)")
        }
        return try await finish(build)
    }

    // MARK: Start

    private func start() async throws(StoreError) -> (Build, SubmittedValues) {
        try await shared.store.write { transaction in
            let request = try transaction.request(requestID)
            let buildset = try transaction.buildset(request.buildsetID)
            let submitted = try transaction.submitted(buildset, shared.secrets)
            var build = try transaction.claim(
                requestID, builder: try transaction.builder(request.builderID),
                workerID: lease.workerID)
            build.properties = properties(of: build, submitted)
            try transaction.announce(
                build.id, properties: shared.mask.masked(build.properties))
            return (build, submitted)
        }
    }

    /// Creates the build's own folder.
    private func makeFolder() async throws {
        let folder = Command.MakeDirectory(shared.builddir(of: builder))
        _ = try await lease.worker.run(.mkdir(folder)) { _ in }
    }

    /// The properties, merged so that later sources win: file, builder, worker, build, request.
    private func properties(of build: Build, _ submitted: SubmittedValues) -> Properties {
        var properties = shared.configuration.properties
        properties.merge(builder.properties)
        properties.set("buildername", .string(builder.name), source: "Builder")
        properties.set("builderid", .int(build.builderID), source: "Builder")
        properties.set("workername", .string(lease.worker.name), source: "Worker")
        properties.set("buildnumber", .int(build.number), source: "Build")
        if submitted.sourceStamps.count == 1, let stamp = submitted.sourceStamps.first {
            for name in ["branch", "revision", "repository", "codebase", "project"] {
                properties.set(name, stamp.attribute(name) ?? .null, source: "Build")
            }
        }
        properties.set("scheduler", "run", source: "Scheduler")
        properties.merge(submitted.properties)
        properties.set("basedir", .string(shared.basedir), source: "Worker")
        properties.set("builddir", .string(shared.builddir(of: builder)), source: "Worker")
        if let owners = owners(properties) {
            properties.set("owners", owners, source: "Build")
        }
        return properties
    }

    private func owners(_ properties: Properties) -> JSONValue? {
        switch properties["owner"] {
        case .string(let owner): .array([.string(owner)])
        case .array(let owners): .array(owners)
        default: nil
        }
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
                    try await Task.sleep(for: limit)
                } catch {
                    return  // The steps have ended.
                }
                control.timeOut()
            }
            await runSteps(of: build, in: session)
            group.cancelAll()
        }
    }

    private func runSteps(of build: BuildState, in session: HTTPSession) async {
        var plan = StepPlan(builder: builder, folder: shared.configuration.folder)
        var hasEnded = false
        for declaration in builder.steps {
            if control.isAbandoned || shared.store.failure != nil { return }
            let step = plan.next(declaration, in: build.renderContext)
            let isOver = hasEnded || control.stopReason != nil || control.isTimedOut
            if isOver, !step.policy.alwaysRun { continue }
            let runner = StepRunner(
                step: step, name: plan.take(shared.mask.apply(to: step.name)), number: plan.count,
                build: build, worker: lease.worker, shared: shared, session: session,
                control: control)
            if await runner.run() { hasEnded = true }
        }
    }

    // MARK: End

    private func finish(_ build: BuildState) async throws(StoreError) -> FinishedBuild {
        let stopReason = control.stopReason
        let isTimedOut = control.isTimedOut
        if isTimedOut { build.contribute(.failure) }
        if stopReason != nil { build.contribute(.cancelled) }
        let isRetried = build.results == .retry && mayRetry
        let results = build.results
        let text = shared.mask.masked(
            Self.stateString(
                results, stopReason: stopReason, isTimedOut: isTimedOut, build.summaries))
        let (id, properties) = (build.build.id, shared.mask.masked(build.properties))
        let (finished, steps) = try await shared.store.write { transaction in
            let finished = try transaction.finishBuild(
                id, results: results, stateString: text, properties: properties,
                outcome: isRetried ? .retried : .finished)
            return (finished, try StepRecord.all(ofBuild: id, in: transaction.database))
        }
        return FinishedBuild(
            builder: builder.name, build: finished, steps: steps, logs: build.logs,
            isRetried: isRetried)
    }

    static func stateString(
        _ results: Results, stopReason: String?, isTimedOut: Bool = false, _ summaries: [String]
    ) -> String {
        var words =
            switch results {
            case .success, .skipped: ["build successful"]
            case .failure: ["failed"]
            default: [results.name]
            }
        if let stopReason { words.append("(\(stopReason))") }
        if isTimedOut { words.append("(timed out)") }
        return (words + summaries).joined(separator: " ")
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
    let logQueue: DispatchQueue
    /// Lets others follow the builds' logs.
    let logs: LogBroadcaster
    let logger: Logger

    var mask: SecretMask { secrets.mask }

    /// Runs commands on the machine of the master; what it may delete is what a worker may.
    var master: LocalWorker {
        LocalWorker(
            root: basedir + "/work", name: "master", withholding: secrets.withheldVariables)
    }

    /// The same environment with another configuration.
    func following(
        _ configuration: MasterConfiguration, _ secrets: SecretValues
    ) throws(HTTPError) -> BuildEnvironment {
        var session: HTTPSession?
        if configuration.httpSession == .shared {
            session = sharedSession
            if session == nil { session = try http.makeSession() }
        }
        return BuildEnvironment(
            number: number + 1, configuration: configuration, secrets: secrets, store: store,
            http: http, sharedSession: session, basedir: basedir, logQueue: logQueue, logs: logs,
            logger: logger
        )
    }

    /// The session for one build.
    func session() throws(HTTPError) -> HTTPSession {
        if let sharedSession { return sharedSession }
        return try http.makeSession()
    }

    func builddir(of builder: BuilderConfiguration) -> String {
        basedir + "/work/" + FilePaths.component(builder.name)
    }
}
