internal import Dispatch
internal import Glibc
internal import MasterKit
internal import Synchronization
internal import SystemPackage

/// A step's log on disk: masked, in complete lines, written as the output arrives.
///
/// Output that arrives during a write is written by the next one. If more than ``bound`` bytes are
/// pending, the caller waits. Of what is beyond the size limit of the log only the end is written,
/// when the log is closed; the log notes how much is missing.
final class LogWriter: StepLog {
    /// The maximum number of pending bytes before callers wait.
    static let bound = 1 << 20

    /// Receives the lines of each piece, prefixed with their channels, in order.
    typealias Observer = @Sendable (Masked<[UInt8]>) async -> Void

    /// Receives the number of lines in the file, each time that some have been written.
    typealias GrowthObserver = @Sendable (Int) -> Void

    private struct State {
        var lines: LogLines
        var masks: [LogChannel: SecretMask.Stream] = [:]
        var pending: [UInt8] = []
        var isWriting = false
        /// The number of lines in the file.
        var writtenCount = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
        var fault: LogFault?
    }

    private let state: Mutex<State>
    private let file: FileDescriptor
    /// The path of the file.
    let path: String
    private let mask: SecretMask
    private let queue: DispatchQueue
    private let observe: Observer?
    private let noteGrowth: GrowthObserver

    init(
        _ file: FileDescriptor, _ path: String, _ mask: SecretMask, _ limit: LogLimit,
        _ queue: DispatchQueue, _ observe: Observer?, _ noteGrowth: @escaping GrowthObserver
    ) {
        state = Mutex(State(lines: LogLines(limit: limit.byteCount)))
        self.file = file
        self.path = path
        self.mask = mask
        self.queue = queue
        self.observe = observe
        self.noteGrowth = noteGrowth
    }

    /// Creates the file and its parent folders.
    ///
    /// - Parameters:
    ///   - path: The path of the file; an existing file is replaced, never followed or opened.
    ///   - mask: Replaces secrets before anything is written.
    ///   - limit: The maximum size.
    ///   - queue: The serial queue of the master's logs.
    ///   - observe: Receives the lines in addition to the file.
    ///   - noteGrowth: Receives the number of lines in the file.
    /// - Returns: A writer, which the caller must close.
    /// - Throws: ``LogFault`` if the file cannot be created.
    static func create(
        _ path: String, mask: SecretMask, limit: LogLimit = .standard, queue: DispatchQueue,
        observe: Observer? = nil, noteGrowth: @escaping GrowthObserver = { _ in }
    ) async throws(LogFault) -> LogWriter {
        let file = try await queue.run(path) { try open(FilePath(path)) }
        return LogWriter(file, path, mask, limit, queue, observe, noteGrowth)
    }

    /// Creates a file that only this user can read.
    private static func open(_ path: FilePath) throws -> FileDescriptor {
        let folder = path.removingLastComponent()
        // Before anything is made there: neither the builder's folder nor the build's is a link.
        for folder in [folder.removingLastComponent(), folder] { try checkNoLink(folder) }
        try FileTree.makeParent(of: path, permissions: 0o700)
        do {
            return try create(path)
        } catch Errno.fileExists {
            try POSIX.removeFile(path)
            return try create(path)
        }
    }

    private static func checkNoLink(_ folder: FilePath) throws {
        do {
            let status = try POSIX.status(of: folder, following: false)
            guard status.st_mode & S_IFMT != S_IFLNK else { throw Errno.notDirectory }
        } catch let fault as SystemFault where fault.number == ENOENT || fault.number == ENOTDIR {
            return  // It is made below, or cannot be.
        }
    }

    private static func create(_ path: FilePath) throws -> FileDescriptor {
        try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .noFollow, .closeOnExec],
            permissions: .ownerReadWrite)
    }

    func write(_ bytes: ArraySlice<UInt8>, to channel: LogChannel) async throws {
        let isFull = try await add { state in
            if let fault = state.fault { throw fault }
            mask(bytes, channel, &state)
        }
        if isFull { await room() }
    }

    /// The ends of the lines that have not ended yet, such as a progress bar; see
    /// ``LogLines/unfinished(byteCount:)``.
    func unfinished(byteCount: Int) -> [UInt8] {
        state.withLock { $0.lines.unfinished(byteCount: byteCount) }
    }

    func flush(_ channel: LogChannel) async throws {
        _ = await add { finish(channel, &$0) }
    }

    /// The number of lines in the file.
    var writtenLineCount: Int { state.withLock(\.writtenCount) }

    /// Writes what is pending and closes the file.
    ///
    /// - Returns: The number of lines.
    /// - Throws: ``LogFault`` if any part of the log could not be written.
    func close() async throws(LogFault) -> Int {
        _ = await add { finish(&$0) }
        let file = file
        // What is pending is written before, as the queue is serial.
        let closing = try await queue.run(path) { Result { try file.close() } }
        return try state.withLock { state throws(LogFault) in
            if let fault = state.fault { throw fault }
            if case .failure(let cause) = closing { throw LogFault(path: path, cause: cause) }
            return state.lines.lineCount
        }
    }

    // MARK: Lines

    /// Adds pending lines and passes them to the observer.
    ///
    /// - Returns: Whether the caller must wait because too much is pending.
    private func add<Failure: Error>(
        _ lines: (inout State) throws(Failure) -> Void
    ) async throws(Failure) -> Bool {
        let (starts, isFull, added) = try state.withLock { state throws(Failure) in
            let before = state.pending.count
            try lines(&state)
            let starts = !state.isWriting && !state.pending.isEmpty
            if starts { state.isWriting = true }
            let added = observe == nil ? [] : Array(state.pending[before...])
            return (starts, state.pending.count > Self.bound, added)
        }
        if starts { queue.async { self.writePending() } }
        if let observe, !added.isEmpty { await observe(Masked(alreadyMasked: added)) }
        return isFull
    }

    private func mask(_ bytes: ArraySlice<UInt8>, _ channel: LogChannel, _ state: inout State) {
        guard !mask.isEmpty else {
            state.lines.add(bytes, of: channel, to: &state.pending)
            return
        }
        let masked = state.masks[channel, default: mask.stream()].process(bytes)
        state.lines.add(masked[...], of: channel, to: &state.pending)
    }

    /// Adds what the masks hold back. A header does not flush it, because it may be part of a
    /// secret.
    private func finish(_ state: inout State) {
        for channel in LogChannel.allCases { finish(channel, &state) }
        state.lines.finish(&state.pending)
    }

    private func finish(_ channel: LogChannel, _ state: inout State) {
        guard let rest = state.masks[channel]?.finish() else { return }
        state.lines.add(rest[...], of: channel, to: &state.pending)
    }

    // MARK: Writing

    /// Waits until there is room again.
    private func room() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isWriting { state.waiters.append(continuation) }
                return !state.isWriting
            }
            if isFree { continuation.resume() }
        }
    }

    /// Writes until nothing is pending; runs on the queue of the logs.
    private func writePending() {
        var bytes: [UInt8] = []
        while let lineCount = takePending(&bytes) {
            do {
                try file.writeAll(bytes)
                state.withLock { $0.writtenCount = lineCount }
                noteGrowth(lineCount)
            } catch {
                state.withLock { $0.fault = $0.fault ?? LogFault(path: path, cause: error) }
            }
        }
    }

    /// Swaps the bytes just written for the pending ones.
    ///
    /// Both buffers are reused, because allocating memory for each piece would cost more than the
    /// copy.
    ///
    /// - Returns: The number of lines in the file once these are written; `nil` if nothing is
    ///   pending.
    private func takePending(_ bytes: inout [UInt8]) -> Int? {
        bytes.removeAll(keepingCapacity: true)
        let (waiters, lineCount) = state.withLock { state in
            swap(&bytes, &state.pending)
            if bytes.isEmpty { state.isWriting = false }
            defer { state.waiters = [] }
            return (state.waiters, state.lines.lineCount)
        }
        for waiter in waiters { waiter.resume() }
        return bytes.isEmpty ? nil : lineCount
    }
}

/// A failure to write a log, such as on a full disk.
struct LogFault: Error, CustomStringConvertible {
    let path: String
    let cause: any Error

    var description: String {
        "the log \(path) cannot be written: \(cause)\(remedy)"
    }

    private var remedy: String {
        switch cause as? Errno {
        case .tooManyOpenFiles?, .tooManyOpenFilesInSystem?:
            "; raise the limit with ulimit -n, or run fewer builds at once with --jobs"
        case .readOnlyFileSystem?: "; make the file system writable, or choose another --basedir"
        case .fileTooLarge?: "; raise the limit with ulimit -f"
        case .notDirectory?: "; remove what is in the place of its folder"
        case nil where cause is CommandError: ""
        default: "; free disk space or choose another --basedir"
        }
    }
}

extension DispatchQueue {
    /// Runs work that blocks on the queue.
    func perform<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { caller in
            self.async { caller.resume(with: Result { try work() }) }
        }
    }

    /// Runs work on the queue and wraps its errors as those of a log.
    fileprivate func run<Value: Sendable>(
        _ path: String, _ work: @escaping @Sendable () throws -> Value
    ) async throws(LogFault) -> Value {
        do {
            return try await perform(work)
        } catch {
            throw LogFault(path: path, cause: error)
        }
    }
}
