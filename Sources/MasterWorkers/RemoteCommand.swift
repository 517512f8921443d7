internal import DequeModule
internal import Synchronization

/// A message of a worker about a command.
enum CommandMessage: Sendable {
    /// Output and results, in order.
    case update([(key: String, value: MessagePack)])
    /// The next bytes of a file, and the number of the request.
    case write([UInt8], Int)
    /// The end of a transfer.
    case closed(Int)
    /// The worker wants at most this many bytes.
    case read(Int, Int)
    /// The command has ended, with the text of a failure.
    case complete(String?)

    init(
        _ operation: String, _ number: Int, _ message: MessagePack
    ) throws(ConnectionEnd) {
        let arguments = message["args"]
        switch operation {
        case "update": self = .update(try Self.pairs(arguments))
        case "complete":
            switch arguments {
            case .null?, nil: self = .complete(nil)
            case .text(let failure)?: self = .complete(failure)
            case let other?:
                throw WorkerConnection.fault("it completed a command with \(other.kind)")
            }
        case "update_upload_file_write":
            guard let bytes = arguments?.bytes else {
                throw WorkerConnection.fault("it sent the content of a file that is not bytes")
            }
            self = .write(bytes, number)
        case "update_upload_file_close", "update_read_file_close": self = .closed(number)
        case "update_read_file":
            guard let length = message["length"]?.int, length > 0 else {
                throw WorkerConnection.fault("it asked for a part of a file without its length")
            }
            self = .read(length, number)
        default:
            throw WorkerConnection.fault("it sent the unknown operation '\(operation.shortened)'")
        }
    }

    private static func pairs(
        _ arguments: MessagePack?
    ) throws(ConnectionEnd) -> [(key: String, value: MessagePack)] {
        guard let list = arguments?.list else {
            throw WorkerConnection.fault("it sent an update that is not a list")
        }
        var pairs: [(key: String, value: MessagePack)] = []
        for item in list {
            guard let pair = item.list, pair.count == 2, let key = pair[0].text else {
                throw WorkerConnection.fault("it sent an update that is not a list of pairs")
            }
            pairs.append((key, pair[1]))
        }
        return pairs
    }
}

/// A running command of a worker: the messages about it that have not been handled.
///
/// One task puts messages, another one takes them. Neither waits in a way that a cancellation ends,
/// as a command has ended only when the worker says so, or the connection is lost.
final class RemoteCommand: Sendable {
    /// The size of the messages beyond which their reader waits.
    static let bound = 256 << 10

    private struct State {
        var messages: Deque<(content: CommandMessage, size: Int)> = []
        var size = 0
        var failure: (any Error)?
        var isInterrupted = false
        /// Whether nobody takes the messages any more.
        var isDone = false
        var taker: CheckedContinuation<Void, Never>?
        /// Since when the taker waits.
        var takerSince = ContinuousClock.now
        var putter: CheckedContinuation<Void, Never>?

        mutating func wake() -> [CheckedContinuation<Void, Never>] {
            defer { (taker, putter) = (nil, nil) }
            return [taker, putter].compactMap(\.self)
        }
    }

    let id: String
    private let state = Mutex(State())

    init(id: String) {
        self.id = id
    }

    /// Since when the next message is waited for; `nil` while one is handled.
    var waitingSince: ContinuousClock.Instant? {
        state.withLock { $0.taker == nil ? nil : $0.takerSince }
    }

    /// Whether it has been interrupted for the first time.
    func markInterrupted() -> Bool {
        state.withLock { state in
            defer { state.isInterrupted = true }
            return !state.isInterrupted
        }
    }

    /// Adds a message; waits if too many are waiting.
    func put(_ content: CommandMessage, size: Int) async {
        let taker = state.withLock { state in
            defer { state.taker = nil }
            state.messages.append((content, size))
            state.size += size
            return state.taker
        }
        taker?.resume()
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                guard state.size > Self.bound, state.failure == nil, !state.isDone else {
                    return true
                }
                state.putter = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Ends the command because the worker refuses it, or is gone.
    func fail(_ error: any Error) {
        let waiting = state.withLock { state in
            state.failure = state.failure ?? error
            return state.wake()
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Takes no more messages.
    func finish() {
        let waiting = state.withLock { state in
            state.isDone = true
            return state.wake()
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits for the next message.
    ///
    /// - Throws: ``ConnectionEnd``, or ``WorkerConnection/Refusal``.
    func next() async throws -> CommandMessage {
        while true {
            let (message, failure, putter) = state.withLock { state in
                let next = state.messages.popFirst()
                state.size -= next?.size ?? 0
                var putter: CheckedContinuation<Void, Never>?
                if state.size <= Self.bound { swap(&putter, &state.putter) }
                return (next?.content, state.failure, putter)
            }
            putter?.resume()
            if let message { return message }
            if let failure { throw failure }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.messages.isEmpty, state.failure == nil else { return true }
                    state.taker = continuation
                    state.takerSince = .now
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }
}
