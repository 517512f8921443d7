import MasterKit
import Synchronization

/// Sends the letters of one reporter: several at once, but of each lane one after the other.
final class Sending: Sendable {
    /// How many bytes of reports are held in memory; further ones are read when they are sent.
    static let heldByteLimit = 8 << 20

    struct State {
        var letters: LetterQueue
        var heldBytes = 0
        var isClosed: Bool
        var receiver: String?
        var lastReason: String?
        /// Whether the receiver has taken a report in this run.
        var isThere = false
        /// Whether the end of the run is near, so that it is worth to look more often.
        var isDraining = false
        /// Rows that somebody changed while they were on their way.
        var changedUnderWay: Set<Int> = []
    }

    let recipient: Recipient
    let environment: OutboxEnvironment
    let wake = Signal()
    let state: Mutex<State>

    /// Begins with the letters that earlier runs left open.
    init(
        to recipient: Recipient,
        leftOpen letters: [Letter],
        isClosed: Bool,
        in environment: OutboxEnvironment
    ) {
        self.recipient = recipient
        self.environment = environment
        var queue = LetterQueue(limit: recipient.inFlight)
        for letter in letters { queue.add(letter) }
        state = Mutex(State(letters: queue, isClosed: isClosed))
    }

    /// The address that was asked last, without user and password.
    var receiver: String? { state.withLock(\.receiver) }

    /// Takes letters that have just been stored; they are due now.
    func add(_ letters: [Letter]) {
        guard !letters.isEmpty else { return }
        let now = environment.clock.elapsed
        state.withLock { state in
            for var letter in letters {
                letter.due = now
                if state.heldBytes + letter.byteCount <= Self.heldByteLimit {
                    state.heldBytes += letter.byteCount
                } else {
                    letter.report = nil
                    letter.byteCount = 0
                }
                state.letters.add(letter)
            }
        }
        wake.raise()
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
        state.withLock { $0.isClosed ? nil : $0.letters.nextDue }
    }

    private func next() -> Letter? {
        let now = environment.clock.elapsed
        return state.withLock { $0.isClosed ? nil : $0.letters.next(at: now) }
    }

    private func deliver(_ letter: Letter) async {
        do {
            let sent = try await send(letter)
            land(letter, sent)
        } catch {
            // Without the store nothing can be recorded, so nothing more is sent.
            close(letter)
            environment.logger.error(
                "nothing more is sent to \(recipient.name), the next run goes on: \(error)"
            )
        }
        wake.raise()
        environment.changed.raise()
    }

    private func close(_ letter: Letter) {
        state.withLock { state in
            state.isClosed = true
            state.letters.putBack(letter)
        }
    }
}
