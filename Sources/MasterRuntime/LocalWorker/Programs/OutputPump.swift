import Glibc
import MasterKit
import SystemPackage

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
    /// How often log files are looked at.
    private static let logFileInterval: Duration = .milliseconds(250)

    private let processes: CommandProcesses
    private let queue: OutputQueue
    private let started: Instant
    private let processDescriptor: CInt
    private let interruptSignal: CInt
    private let maxLines: Int?
    private var termination: TerminationPolicy
    private var sources: [Source]
    private var logFiles: [FollowedFile]
    private var nextLook: Instant
    private var hasExited = false
    private var hasToldLimit = false
    private var leftRunning: Set<CommandProcesses.Member> = []
    private var survivors: [CommandProcesses.Member] = []

    /// Creates a pump for a running program, whose process descriptor becomes readable when it
    /// exits.
    init(
        _ processes: CommandProcesses, processDescriptor: CInt, sources: [Source],
        logFiles: [FollowedFile], queue: OutputQueue, shell: Command.Shell, started: Instant
    ) {
        self.processes = processes
        self.processDescriptor = processDescriptor
        self.sources = sources
        self.queue = queue
        self.started = started
        self.logFiles = logFiles
        nextLook = started + Self.logFileInterval
        interruptSignal = shell.interruptSignal.number
        maxLines = shell.maxLines
        termination = TerminationPolicy(shell, started: started)
    }

    /// Reads until the command is finished.
    mutating func run() -> Report {
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.chunkByteCount, alignment: 16)
        defer { unsafe buffer.deallocate() }
        while true {
            let hasRoom = queue.hasRoom()
            termination.noteRoom(hasRoom, at: .now)
            guard case .wait(var deadline) = act() else { break }
            if !logFiles.isEmpty, hasRoom {
                if .now >= nextLook { readLogFiles() }
                deadline = deadline.map { min($0, nextLook) } ?? nextLook
            }
            for index in wait(until: deadline, reading: hasRoom).reversed() {
                if unsafe read(sources[index], into: buffer) == .end { sources.remove(at: index) }
            }
        }
        for source in sources { unsafe readRest(of: source, into: buffer) }
        readRestOfLogFiles()
        let ended = leftRunning.subtracting(survivors).sorted { $0.process < $1.process }
        return Report(
            timedOut: termination.timedOut, ended: ended, survivors: survivors, hasExited: hasExited
        )
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
            case .interrupt:
                noteEnding()
                processes.signal([interruptSignal, SIGCONT])
            case .kill:
                noteEnding()
                processes.signal([SIGKILL])
            case .giveUp:
                survivors = processes.members(besidesLeader: hasExited)
                return .over
            }
        }
    }

    private mutating func nextAction() -> TerminationPolicy.Action {
        let facts = TerminationPolicy.Facts(
            hasExited: hasExited, isOpen: !sources.isEmpty, isStopped: queue.isStopped)
        return termination.next(at: .now, facts) { [processes] in
            !processes.members(besidesLeader: true).isEmpty
        }
    }

    /// Tells that a limit was reached; without one, notes what the program left behind.
    private mutating func noteEnding() {
        tellOfLimit()
        guard hasExited, termination.timedOut == nil, !queue.isStopped else { return }
        leftRunning.formUnion(processes.members(besidesLeader: true))
    }

    private mutating func tellOfLimit() {
        guard let limit = termination.timedOut, !hasToldLimit else { return }
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
        termination.noteOutput(at: .now)
        if source.isWanted {
            let bytes = unsafe withinLines([UInt8](buffer[..<count]))
            if !bytes.isEmpty { queue.put(.output(source.stream, bytes), elapsed: .now - started) }
        }
        return .some
    }

    /// The output without what follows the first line that is too much.
    private mutating func withinLines(_ bytes: [UInt8]) -> [UInt8] {
        guard maxLines != nil else { return bytes }
        if termination.hasTooManyLines { return [] }
        let newline = UInt8(ascii: "\n")
        var wanted = termination.noteLines(bytes.count { $0 == newline })
        guard termination.hasTooManyLines else { return bytes }
        let end = bytes.firstIndex { byte in
            if byte == newline { wanted -= 1 }
            return wanted == 0
        }
        return end.map { Array(bytes[...$0]) } ?? []
    }

    /// Hands on what log files have got since the last look.
    private mutating func readLogFiles() {
        nextLook = .now + Self.logFileInterval
        for index in logFiles.indices.reversed() {
            // More than this is read at the next look, which is then at once.
            if readOnce(at: index) == Self.chunkByteCount { nextLook = .now }
        }
    }

    /// Reads what is left, as much as there is now: somebody may go on writing.
    private mutating func readRestOfLogFiles() {
        for index in logFiles.indices.reversed() {
            var left = logFiles[index].unreadByteCount + 1
            while left > 0 {
                waitForRoom()
                let count = readOnce(at: index)
                if count == 0 { break }
                left -= count
            }
        }
    }

    private mutating func readOnce(at index: Int) -> Int {
        let name = logFiles[index].name
        do {
            let bytes = try logFiles[index].read(maxByteCount: Self.chunkByteCount)
            guard !bytes.isEmpty else { return 0 }
            termination.noteOutput(at: .now)
            queue.put(.logFile(name, bytes), elapsed: .now - started)
            return bytes.count
        } catch {
            let words = CommandHeader.unreadable(logFiles[index].path.string, error)
            queue.put(.header(words), elapsed: .now - started)
            logFiles.remove(at: index)
            return 0
        }
    }

    private func waitForRoom() {
        while !queue.hasRoom() {
            var polled = [pollfd(fd: queue.wakePipe.descriptor, events: Int16(POLLIN), revents: 0)]
            if unsafe poll(&polled, 1, 1000) > 0 { queue.wakePipe.clear() }
        }
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

extension Command.Shell.Signal {
    /// The number of the signal.
    fileprivate var number: CInt {
        switch self {
        case .hangup: SIGHUP
        case .interrupt: SIGINT
        case .quit: SIGQUIT
        case .abort: SIGABRT
        case .kill: SIGKILL
        case .user1: SIGUSR1
        case .user2: SIGUSR2
        case .terminate: SIGTERM
        }
    }
}
