import MasterKit
import Synchronization

/// The second stage of a pipeline: sends the deliveries of its reporter, several at once, but of each
/// lane one after the other.
final class DeliverySender: Sendable {
    struct State {
        var deliveries: DeliveryQueue
        var isClosed: Bool
        /// Whether the store has failed, so that nothing can be sent in this run any more.
        var hasFailed = false
        var receiver: String?
        var lastReason: String?
        /// Whether the last try that ended came to nothing, as far as waiting goes.
        var isAway = false
        /// Whether the receiver has taken a report in this run.
        var isThere = false
        /// Whether nothing more is to be sent, since another pipeline takes over.
        var isEnding = false
        /// Whether another pipeline has taken over.
        var isOver = false
        /// Whether the end of the run is near, so that it is worth to look more often.
        var isDraining = false
        /// The lanes with a try that the end of the run broke off.
        var unanswered: Set<Int> = []
        /// Rows that somebody changed while they were in flight.
        var changedUnderWay: Set<Int> = []

        var isSending: Bool { !isClosed && !hasFailed && !isEnding }
    }

    let recipient: Recipient
    let environment: DeliveryEnvironment
    let memory: ReportMemory
    let wake = Signal()
    /// Raised whenever less may wait than before.
    let took = Signal()
    /// Raised whenever a delivery is no longer in flight.
    private let flown = Signal()
    let state: Mutex<State>

    /// Begins with the deliveries that earlier runs left open.
    init(
        to recipient: Recipient, leftOpen deliveries: [Delivery], isClosed: Bool,
        sharing memory: ReportMemory = ReportMemory(), in environment: DeliveryEnvironment
    ) {
        self.recipient = recipient
        self.memory = memory
        self.environment = environment
        var queue = DeliveryQueue(limit: recipient.inFlight)
        for delivery in deliveries { queue.add(delivery.due(on: environment.clock)) }
        state = Mutex(State(deliveries: queue, isClosed: isClosed))
    }

    /// The address that was asked last, without user and password.
    var receiver: String? { state.withLock(\.receiver) }

    /// Takes deliveries that have just been stored; they are due now.
    func add(_ deliveries: [Delivery]) {
        guard !deliveries.isEmpty else { return }
        let clock = environment.clock
        state.withLock { state in
            for delivery in deliveries { state.deliveries.add(delivery.due(on: clock)) }
        }
        wake.raise()
    }

    /// Whether enough waits for a receiver that takes it, so that no more is to be made.
    ///
    /// What a receiver does not take is no reason to wait: it may stay away for days.
    var hasEnough: Bool {
        let bound = environment.bounds.maxBytes.bytes / Self.shareOfBound
        return state.withLock { state in
            guard !state.isClosed, !state.hasFailed, !state.isAway else { return false }
            return state.deliveries.byteCount - state.deliveries.failedByteCount >= max(1, bound)
        }
    }

    /// Returns once more reports are wanted, or the task is cancelled.
    func waitUntilMoreIsWanted() async {
        guard hasEnough else { return }
        while hasEnough, !Task.isCancelled { await took.wait() }
        // Somebody else may wait, too.
        took.raise()
    }

    /// How much of all that may be kept waits for a receiver that takes it: one part in so many.
    private static let shareOfBound = 4

    /// How much the reports take that wait, as the bounds count it.
    var keptByteCount: Int {
        state.withLock { state in
            state.deliveries.byteCount + state.deliveries.count * StoreTransaction.rowByteCount
        }
    }

    /// Whether something may be given up.
    var mayExpire: Bool { expirable != ExpirableLanes() }

    /// What may be given up to keep within the bounds: only what was tried in vain in this run.
    var expirable: ExpirableLanes {
        state.withLock { state in
            ExpirableLanes(
                all: state.isClosed || state.isAway, failed: state.deliveries.hinderedLanes,
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

    /// Sends nothing more, and waits for what is in flight, but not beyond a moment.
    func finishFlights(until moment: Duration) async {
        let clock = environment.clock
        state.withLock { $0.isEnding = true }
        while state.withLock({ $0.deliveries.underWay > 0 }), clock.elapsed < moment,
            !Task.isCancelled
        {
            await flown.wait(until: moment, on: clock)
        }
    }

    /// Whether nothing more is sent, since another pipeline takes over.
    var isEnding: Bool { state.withLock(\.isEnding) }

    /// Whether another pipeline sends the reporter's deliveries now.
    var isOver: Bool { state.withLock(\.isOver) }

    /// Leaves the deliveries to another pipeline: what still lands here is not recorded, unless it
    /// has arrived.
    func handOver() {
        state.withLock { $0.isOver = true }
    }

    private func deliver(_ delivery: Delivery) async {
        do {
            let attempt = try await memory.withRoom(for: delivery.byteCount) {
                try await environment.attempt(delivery, to: recipient) { !self.isOver }
            }
            if let attempt {
                land(delivery, attempt)
            } else {
                state.withLock { $0.deliveries.remove(delivery) }
            }
        } catch {
            // Without the store nothing can be recorded, so nothing more is sent.
            let isNews = stop(with: delivery)
            if isNews, !Task.isCancelled {
                environment.logger.error(
                    "sending has stopped for \(recipient.name) in this run: \(error)")
            }
        }
        wake.raise()
        took.raise()
        flown.raise()
        environment.changed.raise()
    }

    private func stop(with delivery: Delivery) -> Bool {
        state.withLock { state in
            defer { state.hasFailed = true }
            state.deliveries.putBack(delivery)
            return !state.hasFailed
        }
    }
}

/// What somebody else changes while reports are sent: by a command, or to keep within the bounds.
extension DeliverySender {
    /// Rows whose change could not be taken over yet, as they were in flight.
    var changedUnderWay: Set<Int> { state.withLock(\.changedUnderWay) }

    /// Whether there are such rows.
    var hasChangesUnderWay: Bool { !changedUnderWay.isEmpty }

    /// Whether the store may say something else, though nothing has changed since the last look.
    ///
    /// An endpoint may be resumed between the commit that closes it and the moment in which that
    /// is known here.
    var isToBeLookedAt: Bool {
        state.withLock { !$0.changedUnderWay.isEmpty || $0.isClosed }
    }

    /// Takes over how changed rows stand, and whether the endpoint is closed.
    func take(_ changes: DeliveryChanges) {
        let open = changes.open.map { $0.due(on: environment.clock) }
        let isNews = state.withLock { state in
            let isNews = state.isClosed != changes.isReporterClosed || !changes.isEmpty
            state.changedUnderWay = state.deliveries.take(open: open, closed: changes.closed)
            state.isClosed = changes.isReporterClosed
            if isNews { state.lastReason = nil }
            return isNews
        }
        guard isNews else { return }
        wake.raise()
        took.raise()
        environment.changed.raise()
    }
}

/// What a delivery that comes back changes.
extension DeliverySender {
    /// How long a receiver that was there a moment ago is waited for while a run ends.
    static let drainingDelay: Duration = .seconds(2)

    private func land(_ delivery: Delivery, _ attempt: DeliveryAttempt) {
        let now = environment.clock.elapsed
        let isNews = state.withLock { state in
            if let receiver = attempt.receiver { state.receiver = receiver }
            switch attempt.outcome {
            case .delivered:
                noteThere(now, delivery.origin, in: &state)
                state.deliveries.remove(delivery)
            case .dead:
                state.deliveries.remove(delivery)
            case .again(let delay, _):
                if attempt.failureKind == nil {
                    state.unanswered.insert(delivery.lane)
                } else if delivery.origin.isEmpty {
                    // Of several receivers one that is away says nothing of the others.
                    state.isAway = true
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
        say(attempt.outcome, isNews: isNews)
    }

    private func putBack(
        _ delivery: Delivery, _ attempt: DeliveryAttempt, dueAfter delay: Duration, _ now: Duration,
        in state: inout State
    ) {
        var delivery = delivery
        delivery.attempts += 1
        delivery.failureKind = attempt.failureKind
        delivery.due = now + delay
        if state.isDraining { hurry(&delivery, now) }
        state.deliveries.putBack(delivery)
    }

    /// What waits for a receiver to come back is due once it has taken something.
    private func noteThere(_ now: Duration, _ origin: String, in state: inout State) {
        let wasAway = state.isAway || state.lastReason != nil || !state.isThere
        state.isThere = true
        state.isAway = false
        guard wasAway, state.deliveries.waitingHeads.contains(where: { $0.failureKind == .absence })
        else { return }
        state.deliveries.changeWaitingHeads { delivery in
            guard delivery.failureKind == .absence, delivery.origin == origin else { return }
            delivery.due = min(delivery.due, now)
        }
    }

    private func hurry(_ delivery: inout Delivery, _ now: Duration) {
        guard delivery.failureKind == .absence, recipient.schedule.isStandard else { return }
        delivery.due = min(delivery.due, now + Self.drainingDelay)
    }

    /// Says why a report did not arrive; the same reason again and again only at debug level.
    private func say(_ outcome: DeliveryOutcome, isNews: Bool) {
        guard let reason = outcome.reason else { return }
        let end =
            switch outcome {
            case .delivered: ""
            case .again: "; it will be retried"
            case .dead: "; it will not be retried"
            case .closed: "; nothing more is sent there"
            }
        environment.logger.log(
            level: isNews ? .warning : .debug,
            "a report of \(recipient.name) was not delivered: \(reason)\(end)")
    }
}

/// How a run ends.
extension DeliverySender {
    /// Looks more often from now on whether a receiver has come back.
    func beginDraining() {
        let now = environment.clock.elapsed
        state.withLock { state in
            state.isDraining = true
            state.deliveries.changeWaitingHeads { hurry(&$0, now) }
        }
        wake.raise()
    }

    /// Whether nothing is in flight and nothing is worth waiting for until a moment.
    ///
    /// - Parameters:
    ///   - moment: The end of the time there is.
    ///   - isPatient: Whether every try before it is worth waiting for. If not, a receiver that was
    ///     never there in this run is not waited for, nor one that refuses.
    /// - Returns: Whether the sending may be stopped now.
    func isSettled(until moment: Duration, isPatient: Bool) -> Bool {
        let now = environment.clock.elapsed
        return state.withLock { state in
            guard state.deliveries.underWay == 0 else { return false }
            guard !state.isClosed, !state.hasFailed, let due = state.deliveries.nextDue,
                due <= moment
            else { return true }
            guard due > now, !isPatient else { return false }
            return !state.deliveries.waitingHeads.contains { delivery in
                delivery.due <= moment && delivery.failureKind != .refusal
                    && (delivery.failureKind != .absence || state.isThere)
            }
        }
    }
}
