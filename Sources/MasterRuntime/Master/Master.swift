internal import FoundationEssentials
package import MasterKit
internal import ServiceLifecycle

/// A running master: it accepts build requests, runs the builds, and delivers their reports.
///
/// ```swift
/// let secrets = try await SecretFetcher(configuration).fetch().usable()
/// try await Master.run(configuration, secrets, options: options, logger: logger) { master in
///     let submission = try await master.submit(BuildsetRequest(reason: "nightly"))
///     let builds = try await master.wait(for: submission)
/// }
/// ```
package final class Master: Sendable {
    let configuration: RunningConfiguration
    let options: Options
    let pool = WorkerPool()
    let presence = WorkerPresence()
    /// The times for which schedulers wait, by their names.
    let nextTimes = ServiceNotes<Date>()
    /// What keeps services from their work, by the names of their states.
    let serviceProblems = ServiceNotes<String>()
    let submissions: Submissions
    /// Runs builds on the master's machine.
    let localWorker: LocalWorker
    let deliveries: Deliveries
    private let services = RunningServices()
    private let janitor: Janitor
    private let commands = ControlHandler()
    private let control: ControlSocket?

    /// Runs a closure with a running master, and shuts the master down afterwards.
    ///
    /// In order: the store is opened, plugins are started, builds left unfinished by a crash are
    /// finished, and the closure runs. Builds that are still running when it returns are stopped.
    ///
    /// - Parameters:
    ///   - configuration: The configuration.
    ///   - secrets: The values of its secrets, as returned by ``SecretFetcher``.
    ///   - options: The options.
    ///   - logger: The logger, whose messages have secrets replaced.
    ///   - body: The closure.
    /// - Returns: What the closure returns.
    /// - Throws: ``MasterError``, ``StoreError``, or what the closure throws.
    package static func run<Value: Sendable>(
        _ configuration: MasterConfiguration, _ secrets: SecretValues, options: Options,
        logger: Logger, _ body: (Master) async throws -> Value
    ) async throws -> Value {
        let store = try await Store.open(
            folder: options.basedir, durability: configuration.durability,
            identity: configuration.identity, clock: { options.time.now })
        do {
            let value = try await withHTTPClient { http in
                let first = BuildEnvironment(
                    configuration, secrets, store: store, http: http, basedir: options.basedir,
                    aids: options.aids, logger: logger)
                let running = RunningConfiguration(first)
                return try await running.withPlugins {
                    try await Master(running, options).run(body)
                }
            }
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    private init(_ configuration: RunningConfiguration, _ options: Options) async throws {
        let environment = configuration.current
        self.configuration = configuration
        self.options = options
        janitor = Janitor(configuration: configuration, time: options.time)
        localWorker = LocalWorker(
            basedir: options.basedir, withholding: environment.secrets.withheldVariables)
        let ended = try await localWorker.endAbandonedCommands(
            notedAt: options.basedir + "/commands")
        if !ended.isEmpty {
            environment.logger.notice(
                "stopped processes left by an earlier run: \(ended.joined(separator: ", "))")
        }
        let slots = min(options.slots, ProcessLimits.builds)
        if slots < options.slots {
            environment.logger.warning(
                """
                running \(slots == 1 ? "1 build" : "\(slots) builds") in parallel instead of \(options.slots), because of the limit on \
                open files; raise it with ulimit -n
                """)
        }
        let store = environment.store
        submissions = Submissions(
            RequestDistributor(
                store: store, pool: pool, configuration: configuration,
                leavesRequests: options.resumesRequests,
                usesWorkers: options.usesWorkers),
            configuration, resumesRequests: options.resumesRequests)
        let file = environment.configuration
        deliveries = try await Deliveries.open(
            store: store, reporters: file.reporters, secrets: environment.secrets,
            http: environment.http, identity: file.identity, bounds: file.deliveryBounds,
            logger: environment.logger, time: options.time)
        do {
            let logger = environment.logger
            control = try ControlSocket(
                folder: options.basedir, fail: { logger.warning("\($0)") }
            ) { [deliveries, commands, resumesRequests = options.resumesRequests] in
                if $0 == .deliveriesChanged {
                    deliveries.noteChanges()
                } else if resumesRequests {
                    await commands.handle($0, $1)
                } else {
                    await $1.send(ControlHandler.refusal.answer)
                }
            }
        } catch {
            environment.logger.warning("\(error)")
            control = nil
        }
    }

    private func run<Value: Sendable>(
        _ body: (Master) async throws -> Value
    ) async throws -> Value {
        try await followWorkers()
        try await resumeRequests()
        let servers = try await preparedServers()
        // Shut down in reverse order: services that submit builds, what runs them, their reports.
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    // Reports may have been drained before.
                    .init(service: deliveries, successTerminationBehavior: .ignore),
                    .init(service: submissions), .init(service: services),
                ] + (control.map { [.init(service: $0)] } ?? [])
                    + (options.resumesRequests ? [.init(service: janitor)] : []),
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let outcome: Result<Value, any Error>
            do {
                await followServices(of: environment)
                await servers.apply()
                outcome = .success(try await body(self))
            } catch {
                outcome = .failure(error)
            }
            await stopServers()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try outcome.get()
        }
    }

    /// Gets the servers ready before any build begins: a master that can't listen, and that is
    /// started again and again, must not begin the pending builds each time.
    private func preparedServers() async throws -> [any PreparedServer] {
        do {
            return try await options.servers.prepare(
                environment.configuration, environment.secrets, for: self)
        } catch {
            await stopServers()
            control?.close()
            throw error
        }
    }

    private func stopServers() async {
        presence.close()
        for server in options.servers.reversed() { await server.stop() }
    }

    /// Finishes what an earlier master left unfinished, and takes over or cancels pending requests.
    private func resumeRequests() async throws {
        let store = environment.store
        let ended = try await store.endUnfinished(as: .exception, reason: "master stopped").count
        let cancelled = try await store.write { try $0.cancelRequestsOfRuns() }
        if cancelled > 0 {
            let requests = cancelled == 1 ? "build request" : "build requests"
            environment.logger.warning(
                "cancelled \(cancelled) \(requests) that an interrupted run left pending")
        }
        guard options.resumesRequests else { return }
        if ended > 0 {
            let builds = ended == 1 ? "1 build" : "\(ended) builds"
            environment.logger.warning("the last master was killed or crashed during \(builds)")
        }
        try await register(environment.configuration)
        try await forgetOtherSchedulers()
        let builders = environment.configuration.builders
        await submissions.distributor.add(
            try await store.read { database in
                try BuildRequest.pending(needs: { builders[$0]?.needs ?? [] }, in: database)
            })
    }

    /// What runs beside the builds; change sources and schedulers only if the master stays up.
    private func programs(of environment: BuildEnvironment) -> [ServiceProgram] {
        let file = environment.configuration
        let services = file.services.map { ServiceProgram($0) }
        guard options.resumesRequests else { return services }
        return services + file.schedulers.map { ServiceProgram($0) }
            + file.changeSources.map { ServiceProgram($0, of: self) }
    }

    /// Ends the services that a configuration no longer has, and starts its new ones.
    private func followServices(of environment: BuildEnvironment) async {
        await services.follow(programs(of: environment)) { program in
            let host = RunningServiceHost(
                name: program.name, stateName: program.stateName, isScheduler: program.isScheduler,
                master: self, session: environment.http.makeSession())
            return RunningService(program, host: host, on: events, logger: environment.logger)
        }
    }

    // MARK: Verbs

    /// The configuration in force.
    package var current: MasterConfiguration { environment.configuration }

    /// The number of the configuration in force, counting from the master's first.
    package var generation: Int { environment.number }

    /// The base folder.
    package var basedir: String { options.basedir }

    /// The environment of builds that begin now.
    var environment: BuildEnvironment { configuration.current }

    /// Switches to another configuration while builds are running.
    ///
    /// Unchanged reporters and services keep running. New plugins are started first; then the
    /// others are replaced. Running builds keep the configuration that they began with.
    ///
    /// - Parameters:
    ///   - wanted: The new configuration.
    ///   - secrets: The values of its secrets.
    /// - Returns: What has changed.
    /// - Throws: ``MasterError`` if a plugin cannot start, or if another reconfiguration is
    ///   running; ``StoreError``. The previous configuration then stays in force.
    package func reconfigure(
        to wanted: MasterConfiguration, _ secrets: SecretValues
    ) async throws -> ConfigurationChanges {
        var servers: [any PreparedServer] = []
        var changes = try await configuration.change(to: wanted, secrets) { next in
            let file = next.configuration
            if options.resumesRequests { try await register(file) }
            servers = try await options.servers.prepare(file, next.secrets, for: self)
            do {
                try await deliveries.reconfigure(
                    file.reporters, secrets: next.secrets, identity: file.identity,
                    bounds: file.deliveryBounds)
            } catch {
                await servers.discard()
                throw error
            }
            environment.store.identity = file.identity
        } settle: { next in
            await followServices(of: next)
            await servers.apply()
        }
        janitor.changed.raise()
        changes.forgottenChanges = try await forgetOtherSchedulers()
        try await followWorkers()
        changes.cancelledRequests = await submissions.distributor.followConfiguration()
        return changes
    }

    /// The events, published in order after their commit.
    package var events: EventBus { environment.store.events }

    /// Follows a log from a given line, while it is being written or afterwards.
    ///
    /// - Parameters:
    ///   - log: The id of the log, as in its events.
    ///   - line: The index of the first line to return, from 0.
    /// - Returns: The lines in pieces, or `nil` if the log does not exist.
    /// - Throws: ``StoreError``.
    package func follow(log: Int, from line: Int = 0) async throws(StoreError) -> LogLineSequence? {
        let environment = environment
        var path = environment.logs.path(ofLive: log)
        if path == nil {
            path = try await environment.store.read { try Log.path(log, in: $0) }
                .map { "\(environment.basedir)/\($0)" }
        }
        return path.map { environment.logs.follow(log, at: $0, from: line) }
    }

    /// Submits a buildset.
    ///
    /// - Throws: ``MasterError`` for an unknown builder, if there is nothing to build, or for
    ///   properties that are too large; ``StoreError``.
    package func submit(_ wanted: BuildsetRequest) async throws -> Submission {
        try await submissions.submit(wanted).0
    }

    /// Submits builds that run some of their steps; the next master does not resume them.
    package func submit(
        _ wanted: BuildsetRequest, steps: StepSelection
    ) async throws -> Submission {
        try await submissions.submit(wanted, steps: steps).0
    }

    /// Submits a buildset that nobody waits for.
    ///
    /// - Throws: As ``submit(_:)``.
    package func submitUnattended(_ wanted: BuildsetRequest) async throws -> Submission {
        try await submissions.submit(wanted, by: .service).0
    }

    /// Submits the builds of a service, and makes another change in the same transaction.
    func submitForService(
        _ wanted: BuildsetRequest,
        with change: @escaping @Sendable (StoreTransaction) throws -> Void
    ) async throws -> Submission {
        try await submissions.submit(wanted, by: .service, with: change).0
    }

    /// Waits until every build of a submission has finished.
    ///
    /// - Returns: The builds in the order of the requests; a retried build comes before its
    ///   successor.
    /// - Throws: ``StoreError`` if the store failed and builds could not continue.
    package func wait(for submission: Submission) async throws(StoreError) -> [FinishedBuild] {
        try await submissions.wait(for: submission.buildset.id)
    }

    /// Ends the services, and waits for all submitted builds.
    ///
    /// - Returns: The builds that have not been waited for, such as those submitted by a service or
    ///   triggered by a step.
    /// - Throws: ``StoreError`` if the store failed and builds could not continue.
    package func endServices() async throws(StoreError) -> [FinishedBuild] {
        await services.end()
        return try await submissions.waitForAll()
    }

    /// Ends the builds of a master that stays up, so that the next one runs again what has not
    /// ended.
    ///
    /// No further build begins. Builds that are still running after the given time end as retry,
    /// and their steps with alwaysRun have as much time again.
    package func endBuilds(within grace: Duration) async {
        let distributor = submissions.distributor
        distributor.hold()
        let clock = ElapsedClock(ContinuousClock())
        async let ended: Void = services.end()
        for count in 1...2 {
            if await distributor.waitForEnd(until: grace * count, on: clock) { break }
            distributor.interrupt()
        }
        await ended
    }

    /// Ends the running builds at once as retry, including their alwaysRun steps.
    package func interruptBuilds() {
        let distributor = submissions.distributor
        distributor.hold()
        for _ in 1...2 { distributor.interrupt() }
    }

    /// Waits until the store fails, or the master ends.
    ///
    /// - Throws: ``StoreError`` if the store has failed.
    package func waitForStoreFailure() async throws(StoreError) {
        await environment.store.waitForEnd()
        if let failure = environment.store.failure { throw failure }
    }

    /// Has the requests of other processes carried out from now on.
    package func takeCommands(
        _ handler: @escaping @Sendable (ControlRequest, ControlConnection) async -> Void
    ) {
        commands.open(handler)
    }

    /// Stops all builds by a message; a second call also stops alwaysRun steps.
    package func stop(reason: String) async {
        await submissions.distributor.stop(reason: reason)
    }

    /// Waits until every report has been delivered, or the time is up.
    ///
    /// - Parameters:
    ///   - limit: The maximum time.
    ///   - isPatient: Whether to wait also for receivers that have not been reachable in this run.
    /// - Returns: A summary of the deliveries.
    /// - Throws: ``StoreError`` if the deliveries cannot be read.
    package func drain(
        for limit: Duration, isPatient: Bool = false
    ) async throws(StoreError) -> DeliverySummary {
        await deliveries.drain(for: limit, isPatient: isPatient)
        return try await deliveries.summary()
    }
}
