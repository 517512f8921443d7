internal import FoundationEssentials
package import Logging
package import MasterHTTP
package import MasterKit
internal import ServiceLifecycle
internal import Synchronization

/// Turns events into reports and ensures that each of them is delivered.
///
/// Every reporter has its own ``DeliveryPipeline`` and works at its own pace: a slow or failing
/// receiver delays only later reports of the same build request. Undelivered reports are kept for
/// the next run.
package final class Deliveries: Service {
    /// How long an event that may have crashed the program is handled alone.
    static let aloneLimit: Duration = .seconds(5)
    /// How long reports in flight may take when their reporter is replaced.
    static let grace: Duration = .seconds(5)

    private struct State {
        var environment: DeliveryEnvironment
        var pipelines: [DeliveryPipeline] = []
    }

    /// The newest event of earlier runs; all later ones belong to this run.
    let lastOfEarlierRuns: Int
    /// When the deliveries were opened.
    let openedAt: Date
    /// The count of the latest changes made by commands that have been applied.
    let changeCount: Mutex<Int>
    /// Whether a notification of changes is pending.
    let isTold = Atomic(false)
    let told = Signal()

    let expiry = Mutex(ExpiryNotes())

    private let state: Mutex<State>
    private let added = AsyncStream.makeStream(of: DeliveryPipeline.self)
    private let stopped = Signal()
    private let ended = Signal()

    private init(
        in environment: DeliveryEnvironment, lastOfEarlierRuns: Int, changeCount: Int,
        openedAt: Date
    ) {
        self.lastOfEarlierRuns = lastOfEarlierRuns
        self.changeCount = Mutex(changeCount)
        self.openedAt = openedAt
        state = Mutex(State(environment: environment))
    }

    var environment: DeliveryEnvironment { state.withLock(\.environment) }
    /// The pipelines of the currently configured reporters.
    var pipelines: [DeliveryPipeline] { state.withLock(\.pipelines) }

    /// Why the last reports were not delivered, by the names of their reporters.
    var problems: [String: String] {
        Dictionary(
            pipelines.compactMap { pipeline in
                pipeline.sender.problem.map { (pipeline.reporter.name, $0) }
            }, uniquingKeysWith: { _, new in new })
    }

    /// Generates and sends reports until the master shuts down, ``stop()`` is called or the task is
    /// cancelled.
    package func run() async {
        await withGracefulShutdownHandler {
            await runUntilStopped()
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func runUntilStopped() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.runPipelines() }
            group.addTask { await self.keepWithinBounds() }
            await stopped.wait()
            group.cancelAll()
        }
        ended.raise()
    }

    /// Ends ``run()``: attempts in flight are cancelled, and their deliveries stay open.
    package func stop() {
        stopped.raise()
    }

    /// Waits until ``run()`` has ended, for at most a second.
    func waitForEnd() async {
        let clock = environment.clock
        await ended.wait(until: clock.elapsed + .seconds(1), on: clock)
    }

    /// Runs the pipelines. After a crash, the first unfinished event of each is handled first, one
    /// at a time and with nothing else running.
    private func runPipelines() async {
        let clock = environment.clock
        let suspects = pipelines.filter { $0.generation.crashGuard.newestEvent != nil }
        await withDiscardingTaskGroup { group in
            for pipeline in suspects {
                let done = Signal()
                group.addTask {
                    await pipeline.workAlone()
                    done.raise()
                }
                await done.wait(until: clock.elapsed + Self.aloneLimit, on: clock)
            }
            for await pipeline in added.stream { group.addTask { await pipeline.run() } }
        }
    }
}

extension Deliveries {
    /// Sets up the reporters of a configuration, before the first build of a run.
    ///
    /// Deliveries left open by earlier runs are due immediately; those of reporters that are no
    /// longer configured are parked.
    ///
    /// - Parameters:
    ///   - store: Provides events and stores deliveries.
    ///   - reporters: The reporters, already started.
    ///   - secrets: The secrets that their settings refer to.
    ///   - http: Sends their requests.
    ///   - identity: The title and URL of the master.
    ///   - bounds: The limits on what is stored.
    ///   - logger: Logs failures.
    ///   - time: The clock for retries.
    /// - Returns: Deliveries that do nothing until they run.
    /// - Throws: `StoreError`.
    package static func open(
        store: Store, reporters: [ReporterDeclaration], secrets: SecretValues,
        http: HTTPClient, identity: MasterIdentity, bounds: DeliveryBounds = DeliveryBounds(),
        logger: Logger, time: any WallClock = SystemWallClock()
    ) async throws -> Deliveries {
        let clock = time.monotonic
        return try await open(
            reporters,
            in: DeliveryEnvironment(
                store: store, storeID: store.identifier, identity: identity, secrets: secrets,
                http: http, logger: logger, clock: ElapsedClock(clock, opened: time.now),
                schedule: RetrySchedule(), bounds: bounds)
        )
    }

    static func open(
        _ reporters: [ReporterDeclaration], in environment: DeliveryEnvironment
    ) async throws -> Deliveries {
        let (store, openedAt) = (environment.store, environment.clock.now)
        let (newest, changeCount) = try await store.read { database in
            (try Event.newestSequence(in: database), try database.changeCount())
        }
        let pipelines = try await Self.pipelines(
            of: reporters, crashedAt: store.endedUncleanly ? newest : nil, in: environment)
        let deliveries = Deliveries(
            in: environment, lastOfEarlierRuns: newest, changeCount: changeCount,
            openedAt: openedAt)
        deliveries.take(pipelines, in: environment)
        return deliveries
    }

    /// Replaces the reporters.
    ///
    /// An unchanged reporter keeps its pipeline. The others first finish what is in flight; what
    /// they leave open is taken over by a reporter of the same name, or else parked.
    ///
    /// - Parameters:
    ///   - reporters: All reporters from now on, already started.
    ///   - secrets: The secrets that their settings refer to.
    ///   - identity: The title and URL of the master.
    ///   - bounds: The limits on what is stored.
    /// - Throws: `StoreError`; the previous reporters are then set up again.
    func reconfigure(
        _ reporters: [ReporterDeclaration], secrets: SecretValues, identity: MasterIdentity,
        bounds: DeliveryBounds
    ) async throws {
        let (old, before) = state.withLock { ($0.pipelines, $0.environment) }
        let environment = before.with(secrets, identity, bounds)
        let kept = old.filter { pipeline in
            environment.isEqual(to: before)
                && reporters.contains { $0.isSame(as: pipeline.declaration) }
        }
        let leaving = old.filter { pipeline in !kept.contains { $0 === pipeline } }
        await withDiscardingTaskGroup { group in
            for pipeline in leaving { group.addTask { await pipeline.end() } }
        }
        do {
            take(
                try await Self.pipelines(of: reporters, keeping: kept, after: old, in: environment),
                in: environment)
        } catch {
            // Nothing was changed in the store. Pipelines that cannot be restored now are restored
            // by the next reconfiguration.
            take(kept, in: before)
            let declarations = old.map(\.declaration)
            take(
                try await Self.pipelines(of: declarations, keeping: kept, after: old, in: before),
                in: before)
            throw error
        }
    }

    /// Starts new pipelines and replaces the previous ones.
    private func take(_ pipelines: [DeliveryPipeline], in environment: DeliveryEnvironment) {
        let old = state.withLock { state in
            defer { state = State(environment: environment, pipelines: pipelines) }
            return state.pipelines
        }
        environment.store.storeEvents(
            of: pipelines.reduce(into: []) { $0.formUnion($1.reporter.kinds) })
        for pipeline in pipelines where !old.contains(where: { $0 === pipeline }) {
            added.continuation.yield(pipeline)
        }
    }

    /// Creates pipelines for reporters, except for those that keep theirs, and parks the deliveries
    /// of all others.
    ///
    /// - Throws: `StoreError`, in which case nothing has changed in the store.
    private static func pipelines(
        of reporters: [ReporterDeclaration], keeping kept: [DeliveryPipeline] = [],
        after old: [DeliveryPipeline] = [], crashedAt newest: Int? = nil,
        in environment: DeliveryEnvironment
    ) async throws -> [DeliveryPipeline] {
        let pipelines = reporters.map { declaration in
            kept.first { $0.declaration.isSame(as: declaration) }
        }
        // Events committed after a reporter has begun to follow must be stored.
        let kinds = old.map(\.reporter.kinds) + reporters.map(\.kinds)
        environment.store.storeEvents(of: kinds.reduce(into: []) { $0.formUnion($1) })
        let (names, isKept) = (reporters.map(\.name), pipelines.map { $0 != nil })
        let known = try await environment.store.write { transaction in
            try zip(try transaction.follow(reportersNamed: names), isKept).map { reporter, isKept in
                (
                    reporter,
                    isKept ? [] : try transaction.database.openDeliveries(ofReporter: reporter.id)
                )
            }
        }
        var all: [DeliveryPipeline] = []
        for (index, declaration) in reporters.enumerated() {
            if let pipeline = pipelines[index] {
                all.append(pipeline)
                continue
            }
            let (record, deliveries) = known[index]
            let reporter = RunningReporter(
                declaration, id: record.id, session: environment.http.makeSession(),
                schedule: environment.schedule)
            let isClosed = await isStillClosed(reporter, record.closure, in: environment)
            let sender = DeliverySender(
                to: reporter, leftOpen: deliveries, isClosed: isClosed, in: environment)
            let generation = GenerationStage(
                of: reporter, from: record.cursor,
                watching: CrashGuard(newestEvent: newest, suspicion: record.suspicion),
                to: sender, in: environment)
            all.append(DeliveryPipeline(declaration, generation, sender))
        }
        return all
    }

    /// Whether a closed endpoint is still the one that the reporter sends to.
    private static func isStillClosed(
        _ reporter: RunningReporter, _ closure: EndpointClosure?,
        in environment: DeliveryEnvironment
    ) async -> Bool {
        guard let closure else { return false }
        let receiver = environment.fingerprint(of: reporter, orIfUnknown: closure.receiver)
        if receiver != closure.receiver {
            let id = reporter.id
            do {
                _ = try await environment.store.write { try $0.database.resumeReporter(id) }
                return false
            } catch {
                environment.logger.error("\(reporter.name) cannot be resumed: \(error)")
                return true
            }
        }
        environment.logger.warning(
            """
            nothing is sent to \(reporter.name), whose endpoint is closed: \(closure.reason.value); \
            its reports are kept until its address changes or it is resumed
            """
        )
        return true
    }
}

extension Deliveries {
    /// Waits until everything that can be delivered in time has been, and stops.
    ///
    /// Returns early once all reports have been generated and no open delivery is worth waiting
    /// for. Attempts still in flight at the end are cancelled, and their deliveries stay open.
    ///
    /// - Parameters:
    ///   - time: The maximum time.
    ///   - isPatient: Whether to wait for every retry that is due in time. If not, receivers that
    ///     have not been reachable in this run, or that reject reports, are not waited for.
    package func drain(for time: Duration, isPatient: Bool = false) async {
        let (environment, pipelines) = (environment, pipelines)
        let clock = environment.clock
        let deadline = clock.elapsed + time
        let targets = Array(zip(pipelines, await newestEvents(for: pipelines)))
        for pipeline in pipelines { pipeline.sender.beginDraining() }
        while !Task.isCancelled, clock.elapsed < deadline,
            !targets.allSatisfy({ pipeline, newest in
                pipeline.generation.isDone(upTo: newest)
                    && pipeline.sender.isSettled(until: deadline, isPatient: isPatient)
            })
        {
            await environment.changed.wait(until: deadline, on: clock)
        }
        stop()
        await waitForEnd()
        guard environment.store.failure == nil else { return }
        do {
            // By now reports that are too old have been attempted once more, even in a short run.
            try await trim()
        } catch {
            environment.logger.error("reports were not kept within their bounds: \(error)")
        }
    }

    /// The newest event that each reporter has to process.
    private func newestEvents(for pipelines: [DeliveryPipeline]) async -> [Int] {
        let kinds = pipelines.map(\.reporter.kinds)
        do {
            return try await environment.store.read { database in
                try kinds.map { try database.newestEvent(of: $0) }
            }
        } catch {
            environment.logger.error("the last reports may be missing: \(error)")
            return kinds.map { _ in 0 }
        }
    }
}

extension Deliveries {
    /// A summary of this run's deliveries, and of those of earlier runs that it attempted or that
    /// are still pending, in event order.
    ///
    /// Each dead report is included in only one summary.
    package func summary() async throws(StoreError) -> DeliverySummary {
        let (environment, pipelines) = (environment, pipelines)
        let receivers = pipelines.reduce(into: [Int: String]()) { receivers, pipeline in
            receivers[pipeline.reporter.id] = pipeline.sender.receiver
        }
        let names = Set(pipelines.map(\.reporter.name))
        let (sequence, moment) = (lastOfEarlierRuns, openedAt)
        let store = environment.store
        let (deliveries, earlier, waiting, closed) = try await store.read { database in
            (
                try database.deliveries(after: sequence, triedSince: moment, receivers: receivers),
                try database.earlierCounts(after: sequence, triedSince: moment),
                try database.waitingCounts(),
                try database.reporters().filter { $0.closedAt != nil && names.contains($0.name) }
            )
        }
        var unreportedCount = 0
        for pipeline in pipelines {
            unreportedCount += try await pipeline.generation.unreportedCount()
        }
        // A store that has failed cannot record what has been reported.
        let (givenUp, others) =
            store.failure == nil
            ? try await store.write { try $0.markDeadReportsAsShown() } : ([], 0)
        return DeliverySummary(
            deliveries: deliveries, earlierCounts: earlier,
            deliveredCount: environment.tally.delivered,
            openCount: waiting.open, parkedCount: waiting.parked, deadCount: environment.tally.dead,
            nothingCount: environment.tally.nothing,
            unreportedCount: unreportedCount, givenUp: givenUp,
            otherGivenUpCount: others + environment.tally.untold, closedReporters: closed)
    }
}
