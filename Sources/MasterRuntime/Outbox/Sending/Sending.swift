import MasterKit
import Synchronization

/// Sends the letters of one reporter: several at once, but of each lane one after the other.
final class Sending: Sendable {
    /// How many letters are on their way at once.
    static let inFlightLimit = 8
    /// How many bytes of reports are held in memory; further ones are read when they are sent.
    static let heldByteLimit = 8 << 20

    private struct State {
        var letters = LetterQueue(limit: Sending.inFlightLimit)
        var heldBytes = 0
        var isClosed = false
        var receiver: String?
        var lastReason: String?
    }

    let recipient: Recipient
    let environment: OutboxEnvironment
    private let wake = Signal()
    private let state = Mutex(State())

    /// Begins with the letters that earlier runs left open.
    init(to recipient: Recipient, leftOpen letters: [Letter], in environment: OutboxEnvironment) {
        self.recipient = recipient
        self.environment = environment
        state.withLock { state in
            for letter in letters { state.letters.add(letter) }
        }
    }

    /// The address that was asked last, without user and password.
    var receiver: String? { state.withLock(\.receiver) }

    /// Whether nothing is on its way and nothing can be tried before a moment.
    func isSettled(until moment: Duration) -> Bool {
        state.withLock { state in
            guard state.letters.underWay == 0 else { return false }
            return state.isClosed || state.letters.nextDue.map { $0 > moment } ?? true
        }
    }

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

    private func land(_ letter: Letter, _ sent: SentLetter) {
        let now = environment.clock.elapsed
        let isNews = state.withLock { state in
            if let receiver = sent.receiver { state.receiver = receiver }
            switch sent.outcome {
            case .delivered, .dead:
                state.heldBytes -= letter.byteCount
                state.letters.remove(letter)
            case .again(let delay, _):
                var letter = letter
                letter.attempts += 1
                letter.due = now + delay
                state.letters.putBack(letter)
            case .closed:
                state.isClosed = true
                state.letters.putBack(letter)
            }
            defer { state.lastReason = sent.outcome.reason }
            return state.lastReason != sent.outcome.reason
        }
        say(sent.outcome, isNews: isNews)
    }

    private func close(_ letter: Letter) {
        state.withLock { state in
            state.isClosed = true
            state.letters.putBack(letter)
        }
    }

    /// Says why a report did not arrive; the same reason again and again only at debug level.
    private func say(_ outcome: DeliveryOutcome, isNews: Bool) {
        guard let reason = outcome.reason else { return }
        let end =
            switch outcome {
            case .delivered: ""
            case .again: "; it is kept and tried again"
            case .dead: "; it is not tried again"
            case .closed: "; nothing more is sent there in this run"
            }
        environment.logger.log(
            level: isNews ? .warning : .debug,
            "a report of \(recipient.name) was not delivered: \(reason)\(end)"
        )
    }
}
