import MasterKit
import Synchronization

/// Sends the letters of one reporter: several at once, but of each lane one after the other.
final class Sending: Sendable {
    struct State {
        var letters: LetterQueue
        var isClosed: Bool
        /// Whether the store has failed, so that nothing can be sent in this run any more.
        var hasFailed = false
        var receiver: String?
        var lastReason: String?
        /// Whether the last try that ended came to nothing, as far as waiting goes.
        var isAway = false
        /// Whether the receiver has taken a report in this run.
        var isThere = false
        /// Whether the end of the run is near, so that it is worth to look more often.
        var isDraining = false
        /// The lanes with a try that the end of the run broke off.
        var unanswered: Set<Int> = []
        /// Rows that somebody changed while they were on their way.
        var changedUnderWay: Set<Int> = []
    }

    let recipient: Recipient
    let environment: OutboxEnvironment
    let memory: ReportMemory
    let wake = Signal()
    /// Raised whenever less may wait than before.
    let took = Signal()
    let state: Mutex<State>

    /// Begins with the letters that earlier runs left open.
    init(
        to recipient: Recipient, leftOpen letters: [Letter], isClosed: Bool,
        sharing memory: ReportMemory = ReportMemory(), in environment: OutboxEnvironment
    ) {
        self.recipient = recipient
        self.memory = memory
        self.environment = environment
        var queue = LetterQueue(limit: recipient.inFlight)
        for letter in letters { queue.add(letter.due(on: environment.clock)) }
        state = Mutex(State(letters: queue, isClosed: isClosed))
    }

    /// The address that was asked last, without user and password.
    var receiver: String? { state.withLock(\.receiver) }

    /// Takes letters that have just been stored; they are due now.
    func add(_ letters: [Letter]) {
        guard !letters.isEmpty else { return }
        let clock = environment.clock
        state.withLock { state in
            for letter in letters { state.letters.add(letter.due(on: clock)) }
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
            return state.letters.byteCount - state.letters.hinderedByteCount >= max(1, bound)
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
            state.letters.byteCount + state.letters.count * StoreTransaction.rowByteCount
        }
    }

    /// Whether something may be given up.
    var mayExpire: Bool { expirable != ExpirableLanes() }

    /// What may be given up to keep within the bounds: only what was tried in vain in this run.
    var expirable: ExpirableLanes {
        state.withLock { state in
            ExpirableLanes(
                all: state.isClosed || state.isAway, failed: state.letters.hinderedLanes,
                unanswered: state.unanswered)
        }
    }

    /// Sends until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while let letter = next() {
                    group.addTask { await self.deliver(letter) }
                }
                await wake.wait(until: nextDue, on: environment.clock)
            }
        }
    }

    private var nextDue: Duration? {
        state.withLock { $0.isClosed || $0.hasFailed ? nil : $0.letters.nextDue }
    }

    private func next() -> Letter? {
        let now = environment.clock.elapsed
        return state.withLock { state in
            state.isClosed || state.hasFailed ? nil : state.letters.next(at: now)
        }
    }

    private func deliver(_ letter: Letter) async {
        do {
            let sent = try await memory.withRoom(for: letter.byteCount) {
                try await send(letter)
            }
            land(letter, sent)
        } catch {
            // Without the store nothing can be recorded, so nothing more is sent.
            let isNews = stop(with: letter)
            guard isNews, !Task.isCancelled else { return }
            environment.logger.error(
                "nothing more is sent to \(recipient.name) in this run: \(error)")
        }
        wake.raise()
        took.raise()
        environment.changed.raise()
    }

    private func stop(with letter: Letter) -> Bool {
        state.withLock { state in
            defer { state.hasFailed = true }
            state.letters.putBack(letter)
            return !state.hasFailed
        }
    }
}

/// What somebody else changes while the outbox runs: by a command, or to keep within the bounds.
extension Sending {
    /// Rows whose change could not be taken over yet, as they were on their way.
    var changedUnderWay: Set<Int> { state.withLock(\.changedUnderWay) }

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
            state.changedUnderWay = state.letters.take(open: open, closed: changes.closed)
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

/// What a letter that comes back changes.
extension Sending {
    /// How long a receiver that was there a moment ago is waited for while a run ends.
    static let drainingDelay: Duration = .seconds(2)

    func land(_ letter: Letter, _ sent: SentLetter) {
        let now = environment.clock.elapsed
        let isNews = state.withLock { state in
            if let receiver = sent.receiver { state.receiver = receiver }
            switch sent.outcome {
            case .delivered:
                noteThere(now, in: &state)
                state.letters.remove(letter)
            case .dead:
                state.letters.remove(letter)
            case .again(let delay, _):
                if sent.hindrance == nil {
                    state.unanswered.insert(letter.lane)
                } else {
                    state.isAway = true
                }
                putBack(letter, sent, dueAfter: delay, now, in: &state)
            case .closed:
                state.isClosed = true
                putBack(letter, sent, dueAfter: .zero, now, in: &state)
            }
            defer { state.lastReason = sent.outcome.reason }
            return state.lastReason != sent.outcome.reason
        }
        environment.tally.note(sent.outcome)
        say(sent.outcome, isNews: isNews)
    }

    private func putBack(
        _ letter: Letter, _ sent: SentLetter, dueAfter delay: Duration, _ now: Duration,
        in state: inout State
    ) {
        var letter = letter
        letter.attempts += 1
        letter.hindrance = sent.hindrance
        letter.due = now + delay
        if state.isDraining { hurry(&letter, now) }
        state.letters.putBack(letter)
    }

    /// What waits for a receiver to come back is due once it has taken something.
    private func noteThere(_ now: Duration, in state: inout State) {
        let wasAway = state.lastReason != nil || !state.isThere
        state.isThere = true
        state.isAway = false
        guard wasAway, state.letters.waitingHeads.contains(where: { $0.hindrance == .absence })
        else { return }
        state.letters.changeWaitingHeads { letter in
            guard letter.hindrance == .absence else { return }
            letter.due = min(letter.due, now)
        }
    }

    private func hurry(_ letter: inout Letter, _ now: Duration) {
        guard letter.hindrance == .absence, recipient.schedule.isStandard else { return }
        letter.due = min(letter.due, now + Self.drainingDelay)
    }

    /// Says why a report did not arrive; the same reason again and again only at debug level.
    private func say(_ outcome: DeliveryOutcome, isNews: Bool) {
        guard let reason = outcome.reason else { return }
        let end =
            switch outcome {
            case .delivered: ""
            case .again: "; it is kept and tried again"
            case .dead: "; it is not tried again"
            case .closed: "; nothing more is sent there"
            }
        environment.logger.log(
            level: isNews ? .warning : .debug,
            "a report of \(recipient.name) was not delivered: \(reason)\(end)")
    }
}

/// How a run ends.
extension Sending {
    /// Looks more often from now on whether a receiver has come back.
    func beginDraining() {
        let now = environment.clock.elapsed
        state.withLock { state in
            state.isDraining = true
            state.letters.changeWaitingHeads { hurry(&$0, now) }
        }
        wake.raise()
    }

    /// Whether nothing is on its way and nothing is worth waiting for until a moment.
    ///
    /// - Parameters:
    ///   - moment: The end of the time there is.
    ///   - isPatient: Whether every try before it is worth waiting for. If not, a receiver that was
    ///     never there in this run is not waited for, nor one that refuses.
    /// - Returns: Whether the sending may be stopped now.
    func isSettled(until moment: Duration, isPatient: Bool) -> Bool {
        let now = environment.clock.elapsed
        return state.withLock { state in
            guard state.letters.underWay == 0 else { return false }
            guard !state.isClosed, !state.hasFailed, let due = state.letters.nextDue,
                due <= moment
            else { return true }
            guard due > now, !isPatient else { return false }
            return !state.letters.waitingHeads.contains { letter in
                letter.due <= moment && letter.hindrance != .refusal
                    && (letter.hindrance != .absence || state.isThere)
            }
        }
    }
}
