import FoundationEssentials
public import Logging
public import MasterHTTP
public import MasterKit
public import ServiceLifecycle

/// Turns events into reports and sees to it that each of them arrives.
///
/// Every reporter has its own pace: a slow or failing receiver holds back nothing but the later
/// reports of the same build request. What is not delivered is kept for the next run.
public final class Deliveries: Service {
    /// How long an event that may have brought the program down has to itself.
    static let solitude: Duration = .seconds(5)

    let environment: DeliveryEnvironment
    let generations: [ReportGeneration]
    let senders: [DeliverySender]
    let retention: Retention
    /// The newest event that an earlier run left; all later ones are of this run.
    let lastOfEarlierRuns: Int
    /// When the outbox was opened.
    let openedAt: Date

    private let stopped = Signal()
    private let ended = Signal()

    init(
        environment: DeliveryEnvironment, generations: [ReportGeneration],
        senders: [DeliverySender],
        lastOfEarlierRuns: Int, changeCount: Int, openedAt: Date
    ) {
        self.environment = environment
        self.generations = generations
        self.senders = senders
        self.lastOfEarlierRuns = lastOfEarlierRuns
        self.openedAt = openedAt
        retention = Retention(of: senders, from: changeCount, in: environment)
    }

    /// Makes and sends reports until the master shuts down, ``stop()`` is called or the task is
    /// cancelled.
    public func run() async {
        await withGracefulShutdownHandler {
            await runUntilStopped()
        } onGracefulShutdown: {
            self.stop()
        }
    }

    private func runUntilStopped() async {
        await withDiscardingTaskGroup { group in
            for sender in senders { group.addTask { await sender.run() } }
            group.addTask { await self.generate() }
            group.addTask { await self.retention.run() }
            await stopped.wait()
            group.cancelAll()
        }
        ended.raise()
    }

    /// Ends ``run()``: what is in flight is broken off and stays open.
    public func stop() {
        stopped.raise()
    }

    /// Waits until ``run()`` has ended, but no longer than a second.
    func waitForEnd() async {
        let clock = environment.clock
        await ended.wait(until: clock.elapsed + .seconds(1), on: clock)
    }

    /// Makes reports; after a crash of each reporter first one, with nothing else beside it.
    private func generate() async {
        let clock = environment.clock
        let suspects = generations.filter { $0.crashWatch.newestEvent != nil }
        await withDiscardingTaskGroup { group in
            for generation in suspects {
                let done = Signal()
                group.addTask {
                    await generation.workAlone()
                    done.raise()
                }
                await done.wait(until: clock.elapsed + Self.solitude, on: clock)
            }
            for generation in generations { group.addTask { await generation.run() } }
        }
    }
}

extension Deliveries {
    /// Takes the reporters of a configuration up, before the first build of a run.
    ///
    /// What earlier runs left open is due at once; what belongs to reporters that are configured
    /// no more is parked.
    ///
    /// - Parameters:
    ///   - store: Where events are read and deliveries are kept.
    ///   - reporters: The reporters, started.
    ///   - secrets: What their settings refer to.
    ///   - mask: What hides secrets.
    ///   - http: What sends their requests.
    ///   - identity: The title and address of the master.
    ///   - bounds: How much is kept for how long.
    ///   - logger: Where faults are said.
    ///   - clock: The time by which tries are repeated.
    /// - Returns: An outbox that does nothing until it runs.
    /// - Throws: `StoreError`, or `HTTPError` when the system has no memory for a session.
    public static func open(
        store: Store, reporters: [ReporterDeclaration], secrets: SecretValues, mask: SecretMask,
        http: HTTPClient, identity: MasterIdentity, bounds: DeliveryBounds = DeliveryBounds(),
        logger: Logger, clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> Deliveries {
        try await open(
            reporters,
            in: DeliveryEnvironment(
                store: store, storeID: store.identifier, identity: identity, secrets: secrets,
                mask: mask, http: http, logger: logger, clock: DeliveryClock(clock),
                schedule: RetrySchedule(), bounds: bounds)
        )
    }

    static func open(
        _ reporters: [ReporterDeclaration],
        in environment: DeliveryEnvironment
    ) async throws -> Deliveries {
        let names = reporters.map(\.name)
        let store = environment.store
        let openedAt = environment.clock.now
        let followed = try await store.write { try $0.follow(reportersNamed: names) }
        let (newest, changeCount) = try await store.read { database in
            (try Event.newestSequence(in: database), try database.changeCount())
        }
        var generations: [ReportGeneration] = []
        var senders: [DeliverySender] = []
        for (declaration, known) in zip(reporters, followed) {
            let recipient = Recipient(
                declaration, id: known.id, session: try environment.http.makeSession(),
                schedule: environment.schedule)
            let sender = try await open(recipient, known, in: environment)
            let crashWatch = CrashGuard(
                newestEvent: store.endedUncleanly ? newest : nil, suspicion: known.suspicion)
            senders.append(sender)
            generations.append(
                ReportGeneration(
                    of: recipient, from: known.cursor, watching: crashWatch, to: sender,
                    in: environment)
            )
        }
        store.storeEvents(of: generations.reduce(into: []) { $0.formUnion($1.recipient.kinds) })
        return Deliveries(
            environment: environment, generations: generations, senders: senders,
            lastOfEarlierRuns: newest, changeCount: changeCount, openedAt: openedAt)
    }

    private static func open(
        _ recipient: Recipient, _ known: FollowedReporter,
        in environment: DeliveryEnvironment
    ) async throws -> DeliverySender {
        let isClosed = try await isStillClosed(recipient, known.closure, in: environment)
        let deliveries = try await environment.store.read { database in
            try database.openLetters(ofReporter: known.id)
        }
        return DeliverySender(
            to: recipient, leftOpen: deliveries, isClosed: isClosed, in: environment)
    }

    /// Whether an endpoint that said it is gone is still the one that reports go to.
    private static func isStillClosed(
        _ recipient: Recipient, _ closure: EndpointClosure?,
        in environment: DeliveryEnvironment
    ) async throws -> Bool {
        guard let closure else { return false }
        let receiver = environment.fingerprint(of: recipient)
        if let receiver, receiver != closure.receiver {
            let id = recipient.id
            _ = try await environment.store.write { try $0.database.resumeReporter(id) }
            return false
        }
        environment.logger.warning(
            """
            nothing is sent to \(recipient.name), whose endpoint is closed: \(closure.reason); \
            its reports are kept until its address changes or it is resumed
            """
        )
        return true
    }
}

extension Deliveries {
    /// Lets everything come to its end that can in a time, and stops.
    ///
    /// It is over early once all reports are made and nothing is open that is worth waiting for.
    /// What is in flight in the end is broken off and stays open.
    ///
    /// - Parameters:
    ///   - time: The time.
    ///   - isPatient: Whether every try that comes before its end is waited for. If not, a receiver
    ///     that was never there in this run is not, nor one that refuses.
    public func drain(for time: Duration, isPatient: Bool = false) async {
        let clock = environment.clock
        let deadline = clock.elapsed + time
        let targets = await newestEvents()
        for sender in senders { sender.beginDraining() }
        while !Task.isCancelled, clock.elapsed < deadline,
            !isSettled(targets, until: deadline, isPatient: isPatient)
        {
            await environment.changed.wait(until: deadline, on: clock)
        }
        stop()
        await waitForEnd()
        guard environment.store.failure == nil else { return }
        do {
            // What is too old was tried once more by now, also in a run that is soon over.
            try await retention.trim()
        } catch {
            environment.logger.error("reports were not kept within their bounds: \(error)")
        }
    }

    private func isSettled(_ targets: [Int], until deadline: Duration, isPatient: Bool) -> Bool {
        zip(generations, targets).allSatisfy { $0.isDone(upTo: $1) }
            && senders.allSatisfy { $0.isSettled(until: deadline, isPatient: isPatient) }
    }

    /// The newest event that each reporter has to look at.
    private func newestEvents() async -> [Int] {
        let kinds = generations.map(\.recipient.kinds)
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
    /// How the deliveries of this run stand, and those of earlier runs that it took up or that
    /// still wait, in the order of their events.
    ///
    /// What was given up is told once: what is in one summary is in no later one.
    public func summary() async throws(StoreError) -> DeliverySummary {
        let receivers = senders.reduce(into: [Int: String]()) { receivers, sender in
            receivers[sender.recipient.id] = sender.receiver
        }
        let names = Set(senders.map(\.recipient.name))
        let (sequence, moment) = (lastOfEarlierRuns, openedAt)
        let store = environment.store
        let (deliveries, waiting, closed) = try await store.read { database in
            (
                try database.deliveries(after: sequence, triedSince: moment, receivers: receivers),
                try database.waitingCounts(),
                try database.reporters().filter { $0.closedAt != nil && names.contains($0.name) }
            )
        }
        var unreportedCount = 0
        for generation in generations { unreportedCount += try await generation.unreportedCount() }
        // A store that has failed keeps what was told no more than anything else.
        let (givenUp, others) =
            store.failure == nil ? try await store.write { try $0.tellOfDeadLetters() } : ([], 0)
        return DeliverySummary(
            deliveries: deliveries, deliveredCount: environment.tally.delivered,
            openCount: waiting.open, parkedCount: waiting.parked, deadCount: environment.tally.dead,
            unreportedCount: unreportedCount, givenUp: givenUp,
            otherGivenUpCount: others + environment.tally.untold, closedReporters: closed)
    }
}
