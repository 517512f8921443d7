import CLibCurl
import Glibc

/// The work of the curl thread: starts, runs and ends transfers. Never leaves the thread.
final class TransferScheduler {
    private let thread: CurlThread
    private let multi: CurlMulti
    private var queue: HostQueue<Transfer>
    /// The transfers that occupy a slot.
    private var running: [ObjectIdentifier: Transfer] = [:]
    private let clock = RoundClock()
    private var ended: [(Transfer, Transfer.Outcome)] = []
    private var nextCheck: ContinuousClock.Instant?

    init(thread: CurlThread, multi: CurlMulti, limits: TransferLimits) {
        self.thread = thread
        self.multi = multi
        queue = HostQueue(limits)
    }

    /// Runs until the thread is closed, then fails all remaining transfers.
    func run() {
        while true {
            let (messages, isClosed) = thread.take()
            clock.tick()
            for message in messages { receive(message) }
            guard !isClosed else {
                failAll()
                return resumeTasks()
            }
            startWaiting()
            multi.perform()
            takeFinished()
            enforceTimeouts()
            resumeTasks()
            if startWaiting() { continue }
            if thread.fallAsleep() { multi.wait(milliseconds: patience()) }
        }
    }

    private func receive(_ message: CurlThread.Message) {
        switch message {
        case .start(let transfer):
            guard !transfer.isCancelled else { return end(transfer, .failure(.cancelled)) }
            queue.append(transfer, host: transfer.request.address.origin)
            check(at: transfer.request.deadline)
        case .cancel(let transfer):
            cancel(transfer)
        case .resume(let transfer):
            guard isRunning(transfer) else { return }
            transfer.resume()
            check(at: transfer.nextDeadline)
        case .opened(let transfer, let file):
            guard isRunning(transfer) else { return }
            opened(transfer, file)
        case .read(let transfer, let piece):
            guard isRunning(transfer), let source = transfer.source else { return }
            let isAwaited = source.isWaiting
            source.accept(piece)
            if isAwaited { transfer.resume() }
        case .list(let jar, let handler):
            handler(jar.list())
        }
    }

    private func isRunning(_ transfer: Transfer) -> Bool {
        running[ObjectIdentifier(transfer)] != nil
    }

    // MARK: Starting

    @discardableResult
    private func startWaiting() -> Bool {
        var hasStarted = false
        while let transfer = queue.start() {
            hasStarted = true
            running[ObjectIdentifier(transfer)] = transfer
            transfer.start(clock)
            switch transfer.request.body {
            case .file(let path):
                check(at: transfer.nextDeadline)
                FileReader.open(path) { [thread] file in
                    thread.post(.opened(transfer, file))
                }
            case .spooled(let spool):
                read(.spooled(spool), for: transfer)
                begin(transfer)
            case .none, .bytes:
                begin(transfer)
            }
        }
        return hasStarted
    }

    private func opened(_ transfer: Transfer, _ file: Result<OpenFile, HTTPError>) {
        do {
            read(.file(try file.get()), for: transfer)
            begin(transfer)
        } catch {
            finish(transfer, .failure(error))
        }
    }

    private func read(_ file: FileReader.File, for transfer: Transfer) {
        let reader = FileReader(file) { [thread] piece in
            thread.post(.read(transfer, piece))
        }
        transfer.source = BodySource(reader)
    }

    /// Passes a transfer to libcurl, for the first time or after a stale connection.
    private func begin(_ transfer: Transfer) {
        do throws(HTTPError) {
            guard let easy = EasyHandle(multi.connections) else { throw .outOfMemory }
            try transfer.begin(easy)
            guard multi.add(easy) else { throw HTTPError.outOfMemory }
            check(at: transfer.firstDeadline)
        } catch {
            transfer.letGo()
            finish(transfer, .failure(error))
        }
    }

    // MARK: Ending

    private func takeFinished() {
        while let (transfer, result) = multi.nextFinished() {
            if transfer.canBeginAgain {
                if let easy = transfer.easy { multi.remove(easy) }
                transfer.reset()
                begin(transfer)
            } else {
                finish(transfer, transfer.outcome(result))
            }
        }
    }

    private func finish(_ transfer: Transfer, _ outcome: Transfer.Outcome) {
        if let easy = transfer.easy { multi.remove(easy) }
        transfer.letGo()
        transfer.source = nil
        running[ObjectIdentifier(transfer)] = nil
        queue.finish(host: transfer.request.address.origin)
        end(transfer, outcome)
    }

    /// Queues the outcome of a transfer to be reported at the end of the round.
    private func end(_ transfer: Transfer, _ outcome: Transfer.Outcome) {
        transfer.stream?.finish()
        ended.append((transfer, outcome))
    }

    /// Resumes the tasks whose transfers ended.
    ///
    /// Resuming them together wakes the thread pool only once. They run before this thread sleeps,
    /// since they often send their next request immediately.
    private func resumeTasks() {
        guard !ended.isEmpty else { return }
        for (transfer, outcome) in ended { transfer.completion?.resume(returning: outcome) }
        ended.removeAll(keepingCapacity: true)
        sched_yield()
    }

    private func cancel(_ transfer: Transfer) {
        if isRunning(transfer) { return finish(transfer, transfer.ended(by: .cancelled)) }
        for transfer in queue.removeWaiting(where: { $0 === transfer }) {
            end(transfer, .failure(.cancelled))
        }
    }

    private func failAll() {
        for transfer in Array(running.values) { finish(transfer, transfer.ended(by: .shutDown)) }
        for transfer in queue.removeWaiting(where: { _ in true }) {
            end(transfer, .failure(.shutDown))
        }
    }

    // MARK: Time

    private func check(at time: ContinuousClock.Instant?) {
        guard let time else { return }
        nextCheck = min(nextCheck ?? time, time)
    }

    private func patience() -> Int32 {
        guard let nextCheck else { return 60_000 }
        return Int32(min(60_000, max(0, (nextCheck - .now).millisecondsUp)))
    }

    private func enforceTimeouts() {
        guard let due = nextCheck, due <= clock.now else { return }
        nextCheck = nil
        for transfer in Array(running.values) {
            if let error = transfer.overdue {
                finish(transfer, transfer.failure(error))
            } else {
                check(at: transfer.nextDeadline)
            }
        }
        let late = queue.removeWaiting { transfer in
            transfer.request.deadline.map { $0 <= clock.now } ?? false
        }
        for transfer in late { end(transfer, .failure(.totalTimeout(transfer.request))) }
        for transfer in queue.waiting { check(at: transfer.request.deadline) }
    }
}

/// The time as last read by the curl thread: once per round, not per byte.
final class RoundClock {
    private(set) var now = ContinuousClock.now

    func tick() {
        now = .now
    }
}

/// Owns a multi handle, which is freed when the last owner releases it.
///
/// `@unchecked Sendable`: `wakeUp` may be called on any thread; everything else is called only on
/// the curl thread, and the handle outlives all callers.
@safe final class CurlMulti: @unchecked Sendable {
    private let handle: UnsafeMutableRawPointer
    let connections = ConnectionTable()

    init(idleConnections: Int) throws(HTTPError) {
        try CurlGlobal.start()
        guard let handle = unsafe curl_multi_init() else { throw .outOfMemory }
        unsafe self.handle = handle
        // This is the only way to tell whether libcurl had no descriptors for its wake-up socket.
        guard unsafe curl_multi_wakeup(handle) == CURLM_OK else { throw .noDescriptors }
        unsafe master_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, idleConnections)
        unsafe master_curl_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    deinit {
        unsafe curl_multi_cleanup(handle)
    }

    /// Makes `wait` return, now or at its next call.
    func wakeUp() {
        unsafe curl_multi_wakeup(handle)
    }

    /// Adds a transfer; returns `false` if there is not enough memory.
    func add(_ easy: some CurlHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.pointer) == CURLM_OK
    }

    /// Removes a transfer, finished or not.
    func remove(_ easy: some CurlHandle) {
        unsafe curl_multi_remove_handle(handle, easy.pointer)
    }

    /// Runs all transfers that are ready.
    func perform() {
        var running: Int32 = 0
        unsafe curl_multi_perform(handle, &running)
    }

    /// Waits for socket activity, a libcurl timer, a wake-up, or the timeout.
    func wait(milliseconds: Int32) {
        unsafe curl_multi_poll(handle, nil, 0, milliseconds, nil)
    }

    /// The next finished transfer and its result code.
    func nextFinished() -> (transfer: Transfer, result: CURLcode)? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let transfer = unsafe EasyHandle.transfer(of: message.pointee.easy_handle)
            else { continue }
            return unsafe (transfer, master_curl_message_result(message))
        }
        return nil
    }

    /// The result code of the next finished transfer, for an owner of a single one.
    func nextResult() -> CURLcode? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(handle, &left) {
            if unsafe message.pointee.msg == CURLMSG_DONE {
                return unsafe master_curl_message_result(message)
            }
        }
        return nil
    }
}

/// A system thread that runs one closure with all signals blocked.
///
/// This includes SIGPIPE, so that writing to a closed connection fails with an error instead; TLS
/// libraries have no option for that.
enum SystemThread {
    private final class Work {
        let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    /// Starts the thread, which ends when the closure returns.
    ///
    /// - Throws: `HTTPError` with the code `transferFailed` if the thread cannot be created.
    static func start(_ body: sending @escaping () -> Void) throws(HTTPError) {
        let work = unsafe Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil, { unsafe SystemThread.main($0) }, work.toOpaque())
        guard result == 0 else {
            unsafe work.release()
            let reason = unsafe String(cString: strerror(result))
            throw HTTPError(.transferFailed, "cannot start a thread for the HTTP client: \(reason)")
        }
        pthread_detach(thread)
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}

/// Memory in the current thread's heap that the C library does not return to the system.
///
/// libcurl allocates about 40 KiB for each transfer and frees it at the end. If this memory were at
/// the top of the heap, each round would return its pages to the system and fault them in again,
/// which took a third of the total time. Free memory below a block that is still in use is not
/// returned. Unused pages take no memory.
@safe struct HeapReserve: ~Copyable {
    /// Below the size for which the C library allocates pages directly.
    private static let piece = 64 << 10
    private static let pieces = 64

    private let guardian: UnsafeMutableRawPointer?

    /// Reserves 4 MiB, enough for the transfers of a busy client.
    init() {
        var blocks: [UnsafeMutableRawPointer?] = unsafe []
        for _ in 0..<Self.pieces { unsafe blocks.append(malloc(Self.piece)) }
        unsafe guardian = malloc(Self.piece)
        for index in 0..<Self.pieces { unsafe free(blocks[index]) }
    }

    deinit {
        unsafe free(guardian)
    }
}
