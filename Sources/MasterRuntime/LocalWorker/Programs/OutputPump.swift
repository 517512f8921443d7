import Glibc
import MasterKit
import Synchronization

/// Reads a program's output and terminates the program when necessary; runs on a dedicated thread.
struct OutputPump: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// One of the program's streams.
    struct Source: Sendable {
        var stream: CommandUpdate.OutputStream
        var readEnd: OwnedDescriptor
        var isWanted: Bool
    }

    /// The result of the pump.
    struct Report: Sendable {
        /// The limit that was exceeded.
        var timedOut: CommandResult.Limit?
        /// The processes that the program left running and that were killed.
        var ended: [CommandProcesses.Member]
        /// The processes that could not be killed.
        var survivors: [CommandProcesses.Member]
        /// Whether the program itself has exited.
        var hasExited: Bool
    }

    private enum Step {
        case wait(until: Instant?)
        case over
    }

    private enum Reading {
        case some
        case nothing
        case end
    }

    private static let chunkByteCount = 128 * 1024
    private static let readsOfRest = 8

    private let processes: CommandProcesses
    private let queue: OutputQueue
    private let started: Instant
    private let processDescriptor: CInt
    private var lifeline: Lifeline
    private var sources: [Source]
    private var hasExited = false
    private var hasToldLimit = false
    private var leftRunning: Set<CommandProcesses.Member> = []
    private var survivors: [CommandProcesses.Member] = []

    /// Creates a pump for a running program, whose process descriptor becomes readable when it
    /// exits.
    init(
        _ processes: CommandProcesses, processDescriptor: CInt, sources: [Source],
        queue: OutputQueue, limits: Command.Shell, started: Instant
    ) {
        self.processes = processes
        self.processDescriptor = processDescriptor
        self.sources = sources
        self.queue = queue
        self.started = started
        lifeline = Lifeline(limits, started: started)
    }

    /// Reads until the command is finished.
    mutating func run() -> Report {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.chunkByteCount, alignment: 16)
        defer { unsafe buffer.deallocate() }
        while true {
            let hasRoom = queue.hasRoom()
            lifeline.noteRoom(hasRoom, at: .now)
            guard case .wait(let deadline) = act() else { break }
            for index in wait(until: deadline, reading: hasRoom).reversed() {
                if unsafe read(sources[index], into: buffer) == .end { sources.remove(at: index) }
            }
        }
        for source in sources { unsafe readRest(of: source, into: buffer) }
        let ended = leftRunning.subtracting(survivors).sorted { $0.process < $1.process }
        return Report(
            timedOut: lifeline.timedOut, ended: ended, survivors: survivors, hasExited: hasExited)
    }

    /// Carries out the pending actions.
    private mutating func act() -> Step {
        while true {
            switch nextAction() {
            case .wait(let until): return .wait(until: until)
            case .finish: return .over
            case .terminate:
                noteEnding()
                // A stopped process handles SIGTERM only after it is continued.
                processes.signal([SIGTERM, SIGCONT])
            case .kill:
                noteEnding()
                processes.signal([SIGKILL])
            case .giveUp:
                survivors = processes.members(besidesLeader: hasExited)
                return .over
            }
        }
    }

    private mutating func nextAction() -> Lifeline.Action {
        let facts = Lifeline.Facts(
            hasExited: hasExited, isOpen: !sources.isEmpty, isStopped: queue.isStopped)
        return lifeline.next(at: .now, facts) { [processes] in
            !processes.members(besidesLeader: true).isEmpty
        }
    }

    /// Reports an exceeded time limit; without one, records what the program left behind.
    private mutating func noteEnding() {
        tellOfTimeLimit()
        guard hasExited, lifeline.timedOut == nil, !queue.isStopped else { return }
        leftRunning.formUnion(processes.members(besidesLeader: true))
    }

    private mutating func tellOfTimeLimit() {
        guard let limit = lifeline.timedOut, !hasToldLimit else { return }
        hasToldLimit = true
        queue.put(.header(CommandHeader.timedOut(limit)), elapsed: .now - started)
    }

    /// Waits for output, the program's exit, a wake-up or the deadline.
    ///
    /// - Returns: The sources that can be read.
    private mutating func wait(until deadline: Instant?, reading: Bool) -> [Int] {
        var polled = [
            pollfd(fd: queue.wakePipe.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: hasExited ? -1 : processDescriptor, events: Int16(POLLIN), revents: 0),
        ]
        for source in sources {
            let file = reading ? source.readEnd.number : -1
            polled.append(pollfd(fd: file, events: Int16(POLLIN), revents: 0))
        }
        guard unsafe poll(&polled, nfds_t(polled.count), Self.milliseconds(until: deadline)) > 0
        else { return [] }
        if polled[0].revents != 0 { queue.wakePipe.clear() }
        if polled[1].revents != 0 { hasExited = true }
        return sources.indices.filter { polled[$0 + 2].revents != 0 }
    }

    /// Reads once and queues the output.
    private mutating func read(
        _ source: Source, into buffer: UnsafeMutableRawBufferPointer
    ) -> Reading {
        let count = unsafe Glibc.read(source.readEnd.number, buffer.baseAddress, buffer.count)
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .nothing : .end }
        if count == 0 { return .end }
        lifeline.noteOutput(at: .now)
        if source.isWanted {
            let bytes = unsafe [UInt8](buffer[..<count])
            queue.put(.output(source.stream, bytes), elapsed: .now - started)
        }
        return .some
    }

    /// Reads the rest of a pipe that a process outside the session still holds open.
    ///
    /// The amount is bounded by the size of a pipe, so that an endless writer cannot block the
    /// pump.
    private mutating func readRest(of source: Source, into buffer: UnsafeMutableRawBufferPointer) {
        for _ in 0..<Self.readsOfRest {
            guard unsafe read(source, into: buffer) == .some else { return }
        }
    }

    /// The timeout for `poll`, rounded up; infinite without a deadline.
    private static func milliseconds(until deadline: Instant?) -> CInt {
        guard let deadline else { return -1 }
        let left = max(.zero, deadline - .now) / .milliseconds(1)
        return CInt(min(left.rounded(.up), 3_600_000))
    }
}

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
        case .output(_, let bytes), .content(let bytes): bytes.count
        case .header(let text): text.utf8.count
        }
    }
}
