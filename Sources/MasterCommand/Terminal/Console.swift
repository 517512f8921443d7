internal import Dispatch
internal import Synchronization
internal import SystemPackage

/// All output of the program goes through the console, from any task or thread.
///
/// Texts are written in order on a separate thread, so that a blocked terminal never delays a
/// build. Up to ``bound`` bytes are buffered; when the buffer is full, ``print(_:)`` waits, and
/// ``post(_:)`` drops its lines, which is reported when there is room again.
final class Console: Sendable {
    /// The maximum number of pending bytes before callers wait.
    static let bound = 1 << 20

    private struct State {
        var screen = LiveScreen()
        var waiting = 0
        var dropped = 0
        var isClosed = false
        var hasFailed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// The capabilities of standard output.
    let output: TerminalTraits
    /// The capabilities of standard error.
    let error: TerminalTraits
    private let errorIsOnScreen: Bool
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "console")

    /// Creates a console for the streams of this process.
    init(environment: [String: String]) {
        output = .of(.output, environment: environment)
        error = .of(.error, environment: environment)
        errorIsOnScreen = StandardStream.error.isTerminal
    }

    /// Whether standard output can no longer be written, for example because its reader has closed
    /// it.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whether output was lost because of a write error other than a reader that closed the stream.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// The number of columns and rows of standard output, 80 and 24 if it is not a terminal.
    var size: (columns: Int, rows: Int) { StandardStream.output.size ?? (80, 24) }

    /// Adds permanent lines to standard output, above the live ones.
    func print(_ lines: [String]) async {
        guard !lines.isEmpty else { return }
        let text = lines.map { $0 + "\n" }.joined()
        state.withLock { enqueue(.output, $0.screen.insert(text), &$0) }
        await room()
    }

    /// Adds a permanent line to standard output, above the live ones.
    func print(_ line: String) async { await print([line]) }

    /// Replaces the live lines.
    func show(live lines: [String]) async {
        state.withLock { enqueue(.output, $0.screen.replace(with: lines), &$0) }
        await room()
    }

    /// Adds permanent lines to standard error, above the live ones.
    func complain(_ lines: [String]) async {
        guard !lines.isEmpty else { return }
        post(lines)
        await room()
    }

    /// Adds permanent lines to standard error without waiting; drops them if the buffer is full.
    func post(_ lines: [String]) {
        state.withLock { state in
            guard state.waiting < Self.bound else {
                state.dropped += lines.count
                return
            }
            var lines = lines
            if state.dropped > 0 {
                lines.insert("(\(state.dropped) lines omitted: the output is too slow)", at: 0)
                state.dropped = 0
            }
            let text = lines.map { $0 + "\n" }.joined()
            if errorIsOnScreen, !state.screen.isEmpty {
                enqueue(.output, state.screen.insert(text), &state)
            } else {
                enqueue(.error, text, &state)
            }
        }
    }

    /// Waits until all previous output is written.
    func flush() async {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume() }
        }
    }

    /// Waits until all previous output is written, up to a time limit. Blocks the thread.
    func flush(within limit: DispatchTimeInterval) {
        let isDone = DispatchSemaphore(value: 0)
        queue.async { isDone.signal() }
        _ = isDone.wait(timeout: .now() + limit)
    }

    /// Enqueues a text. Called with the lock held, to preserve the order.
    private func enqueue(_ stream: StandardStream, _ text: String, _ state: inout State) {
        guard !text.isEmpty else { return }
        let bytes = Array(text.utf8)
        state.waiting += bytes.count
        queue.async { self.write(bytes, to: stream) }
    }

    private func write(_ bytes: [UInt8], to stream: StandardStream) {
        let isOpen = stream == .error || !isClosed
        let fault = isOpen ? stream.write(bytes) : nil
        let waiters = state.withLock { state in
            state.waiting -= bytes.count
            if let fault { note(fault, of: stream, &state) }
            guard state.waiting < Self.bound else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Records a write error; one on standard output is reported once on standard error.
    private func note(_ fault: Errno, of stream: StandardStream, _ state: inout State) {
        if !fault.isAboutReader { state.hasFailed = true }
        guard stream == .output else { return }
        state.isClosed = true
        guard !fault.isAboutReader else { return }
        let words = "standard output cannot be written (\(fault)); further output is lost"
        let paint = TextPainter(hasColour: error.hasColour)
        enqueue(.error, paint(.boldRed, "error:") + " \(words)\n", &state)
    }

    private func room() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.waiting < Self.bound { return true }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }
}

/// The last lines on a terminal, which are redrawn while those above them stay.
struct LiveScreen {
    private var lines: [String] = []

    /// Whether there are no live lines.
    var isEmpty: Bool { lines.isEmpty }

    /// Returns the text that replaces the live lines.
    ///
    /// Only lines that changed are written again. A line must fit the width of the terminal.
    mutating func replace(with new: [String]) -> String {
        guard new != lines else { return "" }
        let same = zip(lines, new).prefix { $0 == $1 }.count
        let changed = new[same...].map { $0 + "\n" }.joined()
        let bytes = erase(lines.count - same) + changed
        lines = new
        return bytes
    }

    /// Returns the text that adds permanent text above the live lines.
    func insert(_ text: String) -> String {
        guard !lines.isEmpty else { return text }
        return erase(lines.count) + text + lines.map { $0 + "\n" }.joined()
    }

    /// Erases the last lines and moves to the beginning of the first of them.
    ///
    /// They are erased one by one, because terminals add a screen that is cleared from its first
    /// row to the scrollback.
    private func erase(_ count: Int) -> String {
        String(repeating: "\u{1B}[A\r\u{1B}[2K", count: count)
    }
}
