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
        to recipient: Recipient,
        leftOpen letters: [Letter],
        isClosed: Bool,
        sharing memory: ReportMemory = ReportMemory(),
        in environment: OutboxEnvironment
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
                all: state.isClosed || state.isAway,
                failed: state.letters.hinderedLanes,
                unanswered: state.unanswered
            )
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
                "nothing more is sent to \(recipient.name) in this run: \(error)"
            )
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
