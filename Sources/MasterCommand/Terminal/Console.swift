internal import Dispatch
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// The program's only writer to its output streams, from any task or thread.
///
/// Texts are written in order on a separate thread, so that a blocked terminal never delays a
/// build. While ``bound`` bytes or more are buffered, ``print(_:)`` and ``complain(_:)`` wait after
/// adding their text, and ``post(_:)`` drops its text, which is reported as soon as there is room.
///
/// Only masked text is written: once the secrets of a run are known, ``hide(_:)`` masks them on
/// both streams for all callers.
final class Console: Sendable {
    /// The size of the buffer, in bytes.
    static let bound = 1 << 20

    private struct State {
        var screen = LiveScreen()
        var mask = SecretMask([])
        var waiting = 0
        var dropped = 0
        var isClosed = false
        /// Whether live lines are not shown for now.
        var isHeld = false
        var hasFailed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// The capabilities of standard output.
    let output: TerminalTraits
    /// The capabilities of standard error.
    let error: TerminalTraits
    private let errorIsOnScreen: Bool
    private let write: Write
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "console")

    /// Writes bytes to a stream, blocking as long as necessary; returns an error if not all were
    /// written.
    typealias Write = @Sendable (StandardStream, [UInt8]) -> Errno?

    /// Creates a console for the streams of this process.
    init(environment: [String: String], write: @escaping Write = { $0.write($1) }) {
        self.write = write
        output = .of(.output, environment: environment)
        error = .of(.error, environment: environment)
        errorIsOnScreen = StandardStream.error.isTerminal
    }

    /// Whether standard output can no longer be written, for example because its reader has closed
    /// it.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whether output was lost because of a write error other than a reader that closed the stream.
    var hasFailed: Bool { state.withLock { $0.hasFailed } }

    /// The number of bytes that have not been written yet.
    var bufferedByteCount: Int { state.withLock { $0.waiting } }

    /// The number of columns and rows of standard output, 80 and 24 if it is not a terminal.
    var size: (columns: Int, rows: Int) { StandardStream.output.size ?? (80, 24) }

    /// Masks the secrets of a mask, including those it learns later, in everything written from now
    /// on.
    func hide(_ mask: SecretMask) {
        state.withLock { $0.mask = mask }
    }

    /// Adds permanent lines to standard output, above the live ones.
    func print(_ lines: [String]) async {
        guard !lines.isEmpty else { return }
        let text = masked(lines)
        state.withLock { state in
            let width = size.columns
            enqueue(.output, text.map { state.screen.insert($0, width: width) }, &state)
        }
        await room()
    }

    /// Writes commands for the log viewer of a CI service; all other output is changed where the
    /// viewer would take it for a command.
    func command(_ lines: [String], to stream: StandardStream = .output) async {
        guard !lines.isEmpty else { return }
        let text = state.withLock(\.mask).masked(lines.map { $0 + "\n" }.joined())
        state.withLock { enqueue(stream, text, &$0) }
        await room()
    }

    /// Adds a permanent line to standard output, above the live ones.
    func print(_ line: String) async { await print([line]) }

    /// Replaces the live lines, unless the terminal no longer has the width that they were made for:
    /// where such lines wrap can't be known.
    ///
    /// - Parameters:
    ///   - lines: The lines.
    ///   - madeWidth: The width that they were made for; `nil` if it does not matter.
    func show(live lines: [String], madeFor madeWidth: Int? = nil) async {
        let lines = Masked(by: state.withLock(\.mask)) { mask in
            lines.map { mask.apply(to: $0) }
        }
        state.withLock { state in
            let width = size.columns
            guard madeWidth == nil || madeWidth == width else { return }
            let text = lines.map {
                state.screen.replace(with: state.isHeld ? [] : $0, width: width)
            }
            enqueue(.output, text, &state)
        }
        await room()
    }

    /// Removes the live lines, and shows none until this is called with `false` and there are new
    /// ones.
    func hold(_ isHeld: Bool) {
        state.withLock { state in
            state.isHeld = isHeld
            guard isHeld else { return }
            let text = state.screen.replace(with: [], width: size.columns)
            enqueue(.output, Masked(alreadyMasked: text), &state)
        }
    }

    /// Adds permanent lines to standard error, above the live ones.
    func complain(_ lines: [String]) async {
        guard !lines.isEmpty else { return }
        let text = masked(lines)
        state.withLock { enqueueError(text, &$0) }
        await room()
    }

    /// Adds permanent lines to standard error without waiting; drops them if the buffer is full.
    func post(_ lines: [String]) {
        let posted = masked(lines)
        state.withLock { state in
            guard state.waiting < Self.bound else {
                state.dropped += lines.count
                return
            }
            enqueueError(posted, &state)
        }
    }

    /// Waits until all previous output is written.
    func flush() async {
        await withCheckedContinuation { continuation in
            afterOutput { continuation.resume() }
        }
    }

    /// Waits until all previous output is written, up to a time limit. Blocks the thread.
    func flush(within limit: DispatchTimeInterval) {
        let isDone = DispatchSemaphore(value: 0)
        afterOutput { isDone.signal() }
        _ = isDone.wait(timeout: .now() + limit)
    }

    /// Calls a closure when all previous output is written, and the error about it, if any.
    private func afterOutput(_ body: @escaping @Sendable () -> Void) {
        queue.async { self.queue.async(execute: body) }
    }

    private func masked(_ lines: [String]) -> Masked<String> {
        let lines = output.wantsAnnotations ? lines.map(\.withoutWorkflowCommand) : lines
        return state.withLock(\.mask).masked(lines.map { $0 + "\n" }.joined())
    }

    /// Enqueues a text. Called with the lock held, to preserve the order.
    private func enqueue(_ stream: StandardStream, _ text: Masked<String>, _ state: inout State) {
        guard !text.value.isEmpty else { return }
        let bytes = text.map { Array($0.utf8) }
        state.waiting += bytes.value.count
        queue.async { self.write(bytes, to: stream) }
    }

    /// Enqueues a text for standard error, above the live lines if it is on the same screen.
    private func enqueueError(_ text: Masked<String>, _ state: inout State) {
        if errorIsOnScreen, !state.screen.isEmpty {
            let width = size.columns
            enqueue(.output, text.map { state.screen.insert($0, width: width) }, &state)
        } else {
            enqueue(.error, text, &state)
        }
    }

    private func write(_ bytes: Masked<[UInt8]>, to stream: StandardStream) {
        let isOpen = stream == .error || !isClosed
        let fault = isOpen ? write(stream, bytes.value) : nil
        let waiters = state.withLock { state in
            state.waiting -= bytes.value.count
            if let fault { note(fault, of: stream, &state) }
            guard state.waiting < Self.bound else { return [CheckedContinuation<Void, Never>]() }
            reportDropped(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func reportDropped(_ state: inout State) {
        guard state.dropped > 0 else { return }
        let count = state.dropped.counting("line")
        state.dropped = 0
        enqueueError(
            state.mask.masked("(\(count) omitted, because the output is too slow)\n"), &state)
    }

    /// Records a write error; one on standard output is reported once on standard error.
    private func note(_ fault: Errno, of stream: StandardStream, _ state: inout State) {
        if !fault.isAboutReader { state.hasFailed = true }
        guard stream == .output else { return }
        state.isClosed = true
        guard !fault.isAboutReader else { return }
        let paint = TextPainter(hasColour: error.hasColour)
        let text = state.mask.masked(paint(.boldRed, "error:") + " \(fault.aboutLostOutput)\n")
        enqueue(.error, text, &state)
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

extension String {
    /// The line with an invisible character in what GitHub's log viewer would obey as a command.
    fileprivate var withoutWorkflowCommand: String {
        var line = replacing("##[", with: "#\u{200B}#[")
        let start = line.firstIndex { !$0.isWhitespace } ?? line.endIndex
        if line[start...].hasPrefix("::") {
            line.insert("\u{200B}", at: line.index(after: start))
        }
        return line
    }
}

/// The last lines on a terminal, which are redrawn while those above them stay.
struct LiveScreen {
    private static let withoutWrapping = "\u{1B}[?7l"
    private static let withWrapping = "\u{1B}[?7h"

    private var lines: [String] = []
    /// The columns of each line.
    private var widths: [Int] = []
    /// The width of the terminal when they were written.
    private var width = 0

    /// Whether there are no live lines.
    var isEmpty: Bool { lines.isEmpty }

    /// Returns the text that replaces the live lines.
    ///
    /// Only lines that changed are written again, or all if the width of the terminal has changed.
    /// A line that does not fit is truncated by the terminal.
    mutating func replace(with new: [String], width: Int) -> String {
        guard new != lines || width != self.width else { return "" }
        let same =
            width == self.width ? zip(lines, new).prefix { $0 == $1 }.count : 0
        let bytes = erase(from: same, width: width) + Self.text(of: new[same...])
        lines = new
        widths = new.map(\.columnsWithoutStyles)
        self.width = width
        return bytes
    }

    /// Returns the text that adds permanent text above the live lines.
    ///
    /// If the width of the terminal has changed, the live lines are removed until they are replaced.
    mutating func insert(_ text: String, width: Int) -> String {
        guard !lines.isEmpty else { return text }
        let erasing = erase(from: 0, width: width)
        guard width == self.width else {
            lines = []
            widths = []
            return erasing + text
        }
        return erasing + text + Self.text(of: lines[...])
    }

    private static func text(of lines: ArraySlice<String>) -> String {
        guard !lines.isEmpty else { return "" }
        return withoutWrapping + lines.map { $0 + "\n" }.joined() + withWrapping
    }

    /// Erases the lines from an index on and moves to the beginning of the first of them.
    ///
    /// A terminal that has become narrower has wrapped lines, which then take several rows. Rows
    /// are erased one by one, because terminals add a screen that is cleared from its first row to
    /// the scrollback.
    private func erase(from index: Int, width: Int) -> String {
        let rows = zip(lines, widths).dropFirst(index).reduce(0) { rows, line in
            let columns = min(line.1, max(1, self.width))
            return rows + max(1, (columns + max(1, width) - 1) / max(1, width))
        }
        return String(repeating: "\u{1B}[A\r\u{1B}[2K", count: rows)
    }
}
