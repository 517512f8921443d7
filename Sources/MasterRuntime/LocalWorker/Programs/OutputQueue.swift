import MasterKit
import Synchronization

/// The queue between the thread that reads a program's output and the task that passes it on.
///
/// It holds ``capacity`` bytes. While it is full the thread stops reading, so the program blocks on
/// its full pipe until the task has taken some output.
final class OutputQueue: Sendable {
    /// An update to pass on.
    struct Item: Sendable {
        var content: CommandUpdate.Content
        var elapsed: Duration
    }

    /// What the task receives.
    enum Next: Sendable {
        case item(Item)
        case ended(Result<ProgramEnd, any Error>)
    }

    private struct State {
        var items: [Item] = []
        var byteCount = 0
        var isReaderWaiting = false
        var isStopped = false
        var end: Result<ProgramEnd, any Error>?
        var taker: CheckedContinuation<Next, Never>?
    }

    /// Several times the size of a read, because the thread and the task take turns on a busy
    /// machine.
    static let capacity = 1024 * 1024
    private static let joinedByteCount = 64 * 1024

    /// Wakes the thread when there is room again, or when it is to end the program.
    let wakePipe: WakePipe
    private let state = Mutex(State())

    init() throws(CommandError) {
        wakePipe = try WakePipe()
    }

    /// Waits for the next update, or the end.
    func next() async -> Next {
        await withCheckedContinuation { continuation in
            let (next, wakes) = state.withLock { state -> (Next?, Bool) in
                if let item = Self.take(from: &state) {
                    let wakes = state.isReaderWaiting && state.byteCount < Self.capacity
                    if wakes { state.isReaderWaiting = false }
                    return (.item(item), wakes)
                }
                if let end = state.end { return (.ended(end), false) }
                state.taker = continuation
                return (nil, false)
            }
            if wakes { wakePipe.wake() }
            if let next { continuation.resume(returning: next) }
        }
    }

    /// Adds an update, even if the queue is full.
    func put(_ content: CommandUpdate.Content, elapsed: Duration) {
        let taker = state.withLock { state -> CheckedContinuation<Next, Never>? in
            if let taker = state.taker {
                state.taker = nil
                return taker
            }
            state.byteCount += content.byteCount
            Self.append(Item(content: content, elapsed: elapsed), to: &state.items)
            return nil
        }
        taker?.resume(returning: .item(Item(content: content, elapsed: elapsed)))
    }

    /// Whether there is room; if not, the thread is woken as soon as there is.
    func hasRoom() -> Bool {
        state.withLock { state in
            state.isReaderWaiting = state.byteCount >= Self.capacity
            return !state.isReaderWaiting
        }
    }

    /// Sets how the program ended; only the first call counts.
    func finish(_ end: Result<ProgramEnd, any Error>) {
        let taker = state.withLock { state -> CheckedContinuation<Next, Never>? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.taker = nil }
            return state.taker
        }
        taker?.resume(returning: .ended(end))
    }

    /// Asks the thread to end the program.
    func stop() {
        state.withLock { $0.isStopped = true }
        wakePipe.wake()
    }

    /// Whether the program is to be ended.
    var isStopped: Bool {
        state.withLock { $0.isStopped }
    }

    private static func take(from state: inout State) -> Item? {
        guard !state.items.isEmpty else { return nil }
        let item = state.items.removeFirst()
        state.byteCount -= item.content.byteCount
        return item
    }

    /// Joins small pieces of one stream, so that a program that writes byte by byte is handled
    /// cheaply.
    private static func append(_ item: Item, to items: inout [Item]) {
        if case .output(let stream, let bytes) = item.content,
            case .output(stream, var joined)? = items.last?.content,
            joined.count + bytes.count <= joinedByteCount
        {
            items.removeLast()
            joined += bytes
            items.append(Item(content: .output(stream, joined), elapsed: item.elapsed))
        } else {
            items.append(item)
        }
    }
}

extension CommandUpdate.Content {
    /// The size of the content.
    fileprivate var byteCount: Int {
        switch self {
        case .output(_, let bytes), .content(let bytes), .logFile(_, let bytes): bytes.count
        case .header(let text): text.utf8.count
        case .started, .ended: 0
        }
    }
}
