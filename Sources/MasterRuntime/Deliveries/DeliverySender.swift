import FoundationEssentials
import MasterKit
import Synchronization

/// The second stage of a pipeline: sends the deliveries of its reporter, several lanes concurrently,
/// but one delivery at a time per lane.
final class DeliverySender: Sendable {
    struct State {
        var deliveries: DeliveryQueue
        var isClosed: Bool
        /// Whether the store has failed, so that nothing more can be sent in this run.
        var hasFailed = false
        var receiver: String?
        /// Why the last report was not delivered; `nil` if it was.
        var lastReason: String?
        /// Whether the last completed attempt failed in a way that calls for waiting.
        var isUnreachable = false
        /// Whether the receiver has accepted a report in this run.
        var hasBeenReachable = false
        /// Whether nothing more is sent, because another pipeline takes over.
        var isEnding = false
        /// Whether another pipeline has taken over.
        var isOver = false
        /// Whether the run is about to end, so that retries are more frequent.
        var isDraining = false
        /// The lanes with an attempt that was cancelled by the end of the run.
        var unanswered: Set<Int> = []
        /// Rows that were changed by others while they were in flight.
        var changedUnderWay: Set<Int> = []

        var isSending: Bool { !isClosed && !hasFailed && !isEnding }
    }

    let reporter: RunningReporter
    let environment: DeliveryEnvironment
    let memory: ReportMemory
    let wake = Signal()
    /// Raised whenever fewer reports may be pending than before.
    let becameFewer = Signal()
    /// Raised whenever a delivery is no longer in flight.
    private let flightEnded = Signal()
    let state: Mutex<State>

    /// Creates a sender with the deliveries left open by earlier runs.
    init(
        to reporter: RunningReporter, leftOpen deliveries: [Delivery], isClosed: Bool,
        sharing memory: ReportMemory = ReportMemory(), in environment: DeliveryEnvironment
    ) {
        self.reporter = reporter
        self.memory = memory
        self.environment = environment
        var queue = DeliveryQueue(limit: reporter.inFlight)
        for delivery in deliveries { queue.add(delivery.due(on: environment.clock)) }
        state = Mutex(State(deliveries: queue, isClosed: isClosed))
    }

    /// The URL contacted, without user and password, or what several have in common.
    var receiver: String? { state.withLock(\.receiver) }

    /// Why the last report was not delivered; `nil` if it was.
    var problem: String? { state.withLock(\.lastReason) }

    /// Adds deliveries that have just been stored; they are due now. Those that have to wait for
    /// others give up their copy of the report.
    func add(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        let clock = environment.clock
        state.withLock { state in
            for delivery in deliveries {
                var delivery = delivery.due(on: clock)
                if state.deliveries.count >= reporter.inFlight { delivery.report = nil }
                state.deliveries.add(delivery)
            }
        }
        wake.raise()
    }

    /// Whether enough reports are pending for a receiver that accepts them, so that generation
    /// should pause.
    ///
    /// Reports that a receiver does not accept do not count: it may be unavailable for days.
    var hasEnough: Bool {
        let bound = environment.bounds.maxBytes.bytes / Self.shareOfBound
        return state.withLock { state in
            guard !state.isClosed, !state.hasFailed, !state.isUnreachable else { return false }
            return state.deliveries.byteCount - state.deliveries.failedByteCount >= max(1, bound)
        }
    }

    /// Returns once more reports are wanted, or the task is cancelled.
    func waitUntilMoreIsWanted() async {
        guard hasEnough else { return }
        while hasEnough, !Task.isCancelled { await becameFewer.wait() }
        // Another task may be waiting, too.
        becameFewer.raise()
    }

    /// The part of the total bound, as a divisor, that may be pending for a receiver that accepts
    /// reports.
    private static let shareOfBound = 4

    /// The size of the pending reports, as counted for the bounds.
    var keptByteCount: Int {
        state.withLock { state in
            state.deliveries.byteCount + state.deliveries.count * StoreTransaction.rowByteCount
        }
    }

    /// Whether anything may expire.
    var mayExpire: Bool { expirable != ExpirableLanes() }

    /// The lanes that may expire to stay within the bounds: only those that have failed in this
    /// run.
    var expirable: ExpirableLanes {
        state.withLock { state in
            ExpirableLanes(
                all: state.isClosed || state.isUnreachable, failed: state.deliveries.failedLanes,
                unanswered: state.unanswered)
        }
    }

    /// Sends until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while let delivery = next() {
                    group.addTask { await self.deliver(delivery) }
                }
                await wake.wait(until: nextDue, on: environment.clock)
            }
        }
    }

    private var nextDue: Duration? {
        state.withLock { $0.isSending ? $0.deliveries.nextDue : nil }
    }

    private func next() -> Delivery? {
        let now = environment.clock.elapsed
        return state.withLock { $0.isSending ? $0.deliveries.next(at: now) : nil }
    }

    /// Stops sending, and waits for attempts in flight, at most until a given time.
    func finishInFlight(until moment: Duration) async {
        let clock = environment.clock
        state.withLock { $0.isEnding = true }
        while state.withLock({ $0.deliveries.underWay > 0 }), clock.elapsed < moment,
            !Task.isCancelled
        {
            await flightEnded.wait(until: moment, on: clock)
        }
    }

    /// Whether nothing more is sent because another pipeline is taking over.
    var isEnding: Bool { state.withLock(\.isEnding) }

    /// Whether another pipeline sends the reporter's deliveries now.
    var isOver: Bool { state.withLock(\.isOver) }

    /// Hands the deliveries over to another pipeline: attempts that still finish here are not
    /// recorded unless the report was delivered.
    func handOver() {
        state.withLock { $0.isOver = true }
    }

    private func deliver(_ delivery: Delivery) async {
        do {
            let attempt = try await memory.withRoom(for: delivery.byteCount) {
                try await self.attempt(delivery)
            }
            if let attempt {
                finish(delivery, attempt)
            } else {
                state.withLock { $0.deliveries.remove(delivery) }
            }
        } catch {
            // Without the store nothing can be recorded, so sending stops.
            let isNews = stop(with: delivery)
            if isNews, !Task.isCancelled {
                environment.logger.error(
                    "sending has stopped for \(reporter.name) in this run: \(error)")
            }
        }
        wake.raise()
        becameFewer.raise()
        flightEnded.raise()
        environment.changed.raise()
    }

    private func stop(with delivery: Delivery) -> Bool {
        state.withLock { state in
            defer { state.hasFailed = true }
            state.deliveries.putBack(delivery)
            return !state.hasFailed
        }
    }

    /// Attempts a delivery once and records the attempt.
    ///
    /// If another pipeline has taken over by then, only a success is recorded.
    /// - Returns: The attempt, or `nil` if the delivery was closed by other means, before or
    ///   meanwhile, so that there is nothing to send or report.
    /// - Throws: A `StoreError` if the attempt cannot be recorded.
    private func attempt(_ delivery: Delivery) async throws(StoreError) -> DeliveryAttempt? {
        let (store, clock) = (environment.store, environment.clock)
        var report = delivery.report
        if report == nil {
            let (isOpen, stored) = try await store.read {
                try $0.storedReport(ofDelivery: delivery.id)
            }
            guard isOpen else { return nil }
            report = stored
        }
        let context = environment.context(
            for: reporter,
            id: DeliveryID(
                store: environment.storeID, reporter: reporter.id, event: delivery.eventSequence,
                part: delivery.part),
            attempt: delivery.attempts + 1)
        let (at, start) = (clock.now, clock.elapsed)
        let failed = await send(report, of: delivery, in: context)
        let attempt = DeliveryAttempt(
            failed, startedAt: at, lasting: clock.elapsed - start, by: reporter, in: context,
            environment)
        let isRecorded = try await store.write { [self] transaction in
            guard !isOver || attempt.outcome == .delivered else { return false }
            return try transaction.record(attempt, of: delivery, to: reporter.id)
        }
        return isRecorded ? attempt : nil
    }

    /// Calls the reporter; returns `nil` if the report was delivered.
    private func send(
        _ stored: String?, of delivery: Delivery, in context: DeliveryContext
    ) async -> FailedAttempt? {
        let clock = environment.clock
        let report: Report
        do throws(DeliveryFault) {
            guard let stored else { throw DeliveryFault("the stored report is gone") }
            report = try Report(stored: stored).revealed(with: environment.secrets)
        } catch {
            return FailedAttempt(error: DeliveryError(.reject, "\(error)"))
        }
        do {
            try await PluginCall.run(on: clock) { [reporter] in
                try await reporter.plugin.send(report, in: context)
            }
            return nil
        } catch {
            let age = clock.now.timeIntervalSince(delivery.since)
            return FailedAttempt(
                error: error, status: (error as? DeliveryError)?.status ?? context.trace.status,
                fault: context.trace.fault, number: delivery.attempts - delivery.triesBefore + 1,
                age: .seconds(max(0, age)))
        }
    }
}

/// Processing of finished attempts.
extension DeliverySender {
    /// What two URLs have in common, up to a slash, with "…" if they differ after it.
    private static func shared(_ one: String, _ other: String) -> String {
        guard one != other else { return one }
        let common = zip(one, other).prefix { $0 == $1 }.reduce(into: "") { $0.append($1.0) }
        guard let slash = common.lastIndex(of: "/") else { return other }
        return common[...slash] + "…"
    }

    /// The retry delay at the end of a run for a receiver that was reachable before.
    static let drainingDelay: Duration = .seconds(2)

    private func finish(_ delivery: Delivery, _ attempt: DeliveryAttempt) {
        let now = environment.clock.elapsed
        let isNews = state.withLock { state in
            if let receiver = attempt.receiver {
                state.receiver = state.receiver.map { Self.shared($0, receiver) } ?? receiver
            }
            switch attempt.outcome {
            case .delivered:
                noteReachable(now, delivery.origin, in: &state)
                state.deliveries.remove(delivery)
            case .dead:
                state.deliveries.remove(delivery)
            case .nothing:
                // This says nothing about the receiver.
                state.deliveries.remove(delivery)
                return false
            case .again(let delay, _):
                if attempt.failureKind == nil {
                    state.unanswered.insert(delivery.lane)
                } else if delivery.origin.isEmpty {
                    // With several receivers, the failure of one says nothing about the others.
                    state.isUnreachable = true
                }
                putBack(delivery, attempt, dueAfter: delay, now, in: &state)
            case .closed:
                state.isClosed = true
                putBack(delivery, attempt, dueAfter: .zero, now, in: &state)
            }
            defer { state.lastReason = attempt.outcome.reason }
            return state.lastReason != attempt.outcome.reason
        }
        environment.tally.note(attempt.outcome)
        log(attempt.outcome, isNews: isNews)
    }

    private func putBack(
        _ delivery: Delivery, _ attempt: DeliveryAttempt, dueAfter delay: Duration, _ now: Duration,
        in state: inout State
    ) {
        var delivery = delivery
        delivery.report = nil
        delivery.attempts += 1
        delivery.failureKind = attempt.failureKind
        delivery.due = now + delay
        if state.isDraining { shortenDelay(&delivery, now) }
        state.deliveries.putBack(delivery)
    }

    /// Makes deliveries due that were waiting for the receiver to become reachable.
    private func noteReachable(_ now: Duration, _ origin: String, in state: inout State) {
        let wasUnreachable =
            state.isUnreachable || state.lastReason != nil || !state.hasBeenReachable
        state.hasBeenReachable = true
        state.isUnreachable = false
        // This looks at every lane, so only if it may matter.
        guard wasUnreachable,
            state.deliveries.waitingHeads.contains(where: { $0.failureKind == .unreachable })
        else { return }
        state.deliveries.changeWaitingHeads { delivery in
            guard delivery.failureKind == .unreachable, delivery.origin == origin else { return }
            delivery.due = min(delivery.due, now)
        }
    }

    private func shortenDelay(_ delivery: inout Delivery, _ now: Duration) {
        guard delivery.failureKind == .unreachable, reporter.schedule.isStandard else { return }
        delivery.due = min(delivery.due, now + Self.drainingDelay)
    }

    /// Logs why a report was not delivered, and the first one that is after that; repetitions of
    /// the same reason only at debug level.
    private func log(_ outcome: DeliveryOutcome, isNews: Bool) {
        guard let reason = outcome.reason else {
            guard isNews else { return }
            return environment.logger.info("reports of \(reporter.name) are delivered again")
        }
        if case .nothing = outcome {
            environment.logger.debug("\(reporter.name) had nothing to send: \(reason)")
            return
        }
        let end =
            switch outcome {
            case .delivered, .nothing: ""
            case .again: "; it will be retried"
            case .dead: "; it will not be retried"
            case .closed: "; nothing more is sent there"
            }
        environment.logger.log(
            level: isNews ? .warning : .debug,
            "a report of \(reporter.name) was not delivered: \(reason)\(end)")
    }
}

/// The end of a run.
extension DeliverySender {
    /// Retries more often from now on, in case the receiver becomes reachable.
    func beginDraining() {
        let now = environment.clock.elapsed
        state.withLock { state in
            state.isDraining = true
            state.deliveries.changeWaitingHeads { shortenDelay(&$0, now) }
        }
        wake.raise()
    }

    /// Whether nothing is in flight and nothing is worth waiting for until a given time.
    ///
    /// - Parameters:
    ///   - moment: The end of the available time.
    ///   - isPatient: Whether every retry before that is worth waiting for. If not, receivers that
    ///     have not been reachable in this run, or that reject reports, are not waited for.
    /// - Returns: Whether sending may stop now.
    func isSettled(until moment: Duration, isPatient: Bool) -> Bool {
        let now = environment.clock.elapsed
        return state.withLock { state in
            guard state.deliveries.underWay == 0 else { return false }
            guard !state.isClosed, !state.hasFailed, let due = state.deliveries.nextDue,
                due <= moment
            else { return true }
            guard due > now, !isPatient else { return false }
            return !state.deliveries.waitingHeads.contains { delivery in
                delivery.due <= moment && delivery.failureKind != .rejected
                    && (delivery.failureKind != .unreachable || state.hasBeenReachable)
            }
        }
    }
}
