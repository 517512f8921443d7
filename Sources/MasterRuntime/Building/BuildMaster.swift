internal import Dispatch
internal import FoundationEssentials
public import MasterKit

/// A running master: it takes requests for builds, runs them, and delivers their reports.
///
/// ```swift
/// let secrets = try await SecretFetcher(configuration).fetch().usable()
/// try await BuildMaster.run(configuration, secrets, options: options, logger: logger) { master in
///     let submission = try await master.submit(BuildsetRequest(reason: "nightly"))
///     let builds = try await master.wait(for: submission)
/// }
/// ```
public final class BuildMaster: Sendable {
    /// How a master is run, beside what its file says.
    public struct Options: Sendable {
        /// The folder for the store, the logs and the folders of builds; absolute.
        public let basedir: String
        /// How many builds run side by side.
        public let slots: Int

        /// Makes options.
        ///
        /// - Parameters:
        ///   - basedir: The folder for what is kept; a relative one is taken from the current.
        ///   - slots: How many builds run side by side, at least 1; by default one for each core.
        public init(basedir: String, slots: Int? = nil) {
            self.basedir = FilePaths.absolute(basedir)
            self.slots = slots ?? ProcessInfo.processInfo.activeProcessorCount
            precondition(self.slots > 0, "a master without slots would build nothing")
        }
    }

    let shared: BuildEnvironment
    private let distributor: Distributor
    private let outbox: Outbox
    private let submissions = Submissions()

    private init(shared: BuildEnvironment, slots: Int, outbox: Outbox) {
        self.shared = shared
        self.outbox = outbox
        self.distributor = Distributor(shared: shared, slots: slots)
    }

    /// Runs a body with a master that is up, and takes the master down afterwards.
    ///
    /// In order: the store is opened, plugins started, builds that a crash left unfinished are
    /// ended, then the body runs. What the body leaves running is stopped.
    ///
    /// - Parameters:
    ///   - configuration: What is run.
    ///   - secrets: The values of the secrets that it uses, as ``SecretFetcher`` gives them.
    ///   - options: How it is run.
    ///   - logger: Where notes go, with secrets replaced.
    ///   - body: What is done with the master.
    /// - Returns: What the body returns.
    /// - Throws: ``MasterError``, ``StoreError``, or what the body throws.
    public static func run<Value: Sendable>(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, options: Options,
        logger: Logger, _ body: (BuildMaster) async throws -> Value
    ) async throws -> Value {
        let store = try await Store.open(
            folder: options.basedir, durability: configuration.durability,
            identity: configuration.identity)
        do {
            let value = try await withHTTPClient { http in
                try await run(
                    configuration, options, secrets, store, http, logger, body)
            }
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    private static func run<Value: Sendable>(
        _ configuration: MasterConfiguration, _ options: Options, _ secrets: SecretValues,
        _ store: Store, _ http: HTTPClient, _ logger: Logger,
        _ body: (BuildMaster) async throws -> Value
    ) async throws -> Value {
        let worker = LocalWorker(root: options.basedir + "/work")
        let mask = secrets.mask
        let logger = mask.apply(to: logger)
        let shared = BuildEnvironment(
            configuration: configuration, store: store, worker: worker,
            workerID: try await store.write { try $0.worker(named: worker.name) },
            secrets: secrets, mask: mask, http: http,
            sharedSession: configuration.httpSession == .shared ? try http.makeSession() : nil,
            basedir: options.basedir, logQueue: DispatchQueue(label: "buildmaster.logs"),
            logger: logger)
        let outbox = try await Outbox.open(
            store: store, reporters: configuration.reporters, secrets: secrets, mask: mask,
            http: http, identity: configuration.identity,
            bounds: configuration.deliveryBounds, logger: logger)
        let master = BuildMaster(shared: shared, slots: options.slots, outbox: outbox)
        return try await PluginLife(configuration).run {
            _ = try await store.endUnfinished(as: .exception, reason: "master stopped")
            _ = try await store.write { try $0.cancelPendingRequests() }
            return try await master.whileRunning { try await body(master) }
        }
    }

    private func whileRunning<Value: Sendable>(
        _ body: () async throws -> Value
    ) async throws -> Value {
        async let deliveries: Void = outbox.run()
        async let builds: Void = distributor.run()
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        await distributor.stop(reason: "master stopped")
        distributor.close()
        await builds
        outbox.stop()
        await deliveries
        return try outcome.get()
    }

    // MARK: Verbs

    /// What happens, once it is committed, in order.
    public var events: EventBus { shared.store.events }

    /// Submits a set of builds.
    ///
    /// - Throws: ``MasterError`` for a builder that is not there, or for none, and for properties that
    ///   are too large; ``StoreError``.
    public func submit(_ wanted: BuildsetRequest) async throws -> Submission {
        let builders = try builders(for: wanted)
        try checkSize(of: wanted.properties, of: builders)
        let stored = shared.mask.apply(to: wanted)
        let (submission, rows) = try await shared.store.write { transaction in
            let rows = try builders.map {
                try transaction.builder(
                    named: $0.name, description: $0.description, tags: $0.tags)
            }
            let buildset = Buildset(
                id: 0, reason: stored.reason, submittedAt: transaction.now,
                sourceStamps: stored.sourceStamps, parentBuildID: stored.parentBuildID)
            let submission = try transaction.submit(
                buildset, builders: rows, properties: stored.properties)
            return (submission, rows)
        }
        let progress = BuildsetProgress(requestCount: builders.count)
        submissions.add(progress, for: submission.buildset.id)
        let sourceStamps = zip(wanted.sourceStamps, submission.buildset.sourceStamps)
            .map { $0.stored(as: $1.id) }
        let requests = zip(submission.requests, zip(rows, builders)).map { request, pair in
            PendingRequest(
                request: request, row: pair.0, builder: pair.1,
                sourceStamps: sourceStamps,
                properties: wanted.properties, progress: progress)
        }
        distributor.add(requests)
        return submission
    }

    /// Waits until every build of a submission has ended.
    ///
    /// - Returns: The builds in the order of the request; a retried one stands before its successor.
    /// - Throws: ``StoreError`` when the store gave up and builds could not go on.
    public func wait(for submission: Submission) async throws(StoreError) -> [FinishedBuild] {
        guard let progress = submissions.progress(of: submission.buildset.id) else { return [] }
        let builds = try await progress.wait()
        submissions.remove(submission.buildset.id)
        return builds
    }

    /// Stops all builds by a message; a second call also ends the steps that always run.
    public func stop(reason: String) async {
        await distributor.stop(reason: reason)
    }

    /// Kills every command that runs and waits for nothing: for a process that ends at once.
    public func abandonCommands() {
        shared.worker.abandonCommands()
    }

    /// Waits until every report was delivered, or the time is over.
    ///
    /// - Parameters:
    ///   - limit: The time.
    ///   - isPatient: Whether a receiver that was never there in this run is waited for, too.
    /// - Returns: How the deliveries stand.
    /// - Throws: ``StoreError`` when they cannot be looked up.
    public func drain(
        for limit: Duration, isPatient: Bool = false
    ) async throws(StoreError) -> DeliverySummary {
        await outbox.drain(for: limit, isPatient: isPatient)
        return try await outbox.summary()
    }

    /// Refuses properties that are too large for a build before any step has set one.
    private func checkSize(
        of wanted: Properties, of builders: [BuilderConfiguration]
    ) throws(MasterError) {
        for builder in builders {
            var properties = shared.configuration.properties
            properties.merge(builder.properties)
            properties.merge(wanted)
            do {
                try properties.checkSize()
            } catch {
                throw MasterError(.tooLarge, "\(error)")
            }
        }
    }

    private func builders(
        for wanted: BuildsetRequest
    ) throws(MasterError) -> [BuilderConfiguration] {
        let all = shared.configuration.builders
        guard let names = wanted.builders else {
            let builders = all.filter { !$0.isTriggeredOnly }
            guard builders.isEmpty else { return builders }
            throw MasterError(
                .nothingToBuild, "all builders are 'triggeredOnly'; name the one to be run")
        }
        var builders: [BuilderConfiguration] = []
        for name in names {
            guard let builder = all.first(where: { $0.name == name }) else {
                let remedy = Suggestion.remedy(for: name, among: all.map(\.name))
                throw MasterError(.unknownBuilder, "there is no builder '\(name)'; \(remedy)")
            }
            if !builders.contains(where: { $0.name == name }) { builders.append(builder) }
        }
        return builders
    }
}
