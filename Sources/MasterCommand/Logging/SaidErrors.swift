internal import Synchronization

/// The errors that the log has told, so that the end of a run does not tell them again.
final class SaidErrors: Sendable {
    /// How many of the last messages are remembered.
    private static let bound = 64

    private let messages = Mutex<[String]>([])

    /// Notes a message of the log.
    func note(_ message: String) {
        messages.withLock { messages in
            if messages.count == Self.bound { messages.removeFirst() }
            messages.append(message)
        }
    }

    /// Whether a message of the log held a sentence.
    func contain(_ sentence: String) -> Bool {
        messages.withLock { $0.contains { $0.contains(sentence) } }
    }
}
