import Glibc
import Synchronization

/// The interface between tasks and the thread that runs libcurl: an inbox, wake-ups, and its state.
final class CurlThread: Sendable {
    /// A message to the thread.
    enum Message: Sendable {
        case start(Transfer)
        case cancel(Transfer)
        case resume(Transfer)
        case opened(Transfer, Result<OpenFile, HTTPError>)
        case read(Transfer, FileReader.Piece)
        case list(CookieJar, @Sendable ([HTTPCookie]) -> Void)
    }

    private struct State {
        var inbox: [Message] = []
        var isAsleep = false
        var isClosed = false
        var hasEnded = false
        var enders: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let multi: CurlMulti

    /// Starts the thread.
    init(limits: TransferLimits) throws(HTTPError) {
        let multi = try CurlMulti(idleConnections: limits.inFlight)
        self.multi = multi
        try SystemThread.start { [self] in
            let reserve = HeapReserve()
            TransferScheduler(thread: self, multi: multi, limits: limits).run()
            end()
            _ = consume reserve
        }
    }

    /// Runs a transfer; cancelling the task aborts it immediately.
    func run(_ transfer: Transfer) async -> Transfer.Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.completion = continuation
                guard !post(.start(transfer)) else { return }
                transfer.stream?.finish()
                continuation.resume(returning: .failure(.shutDown))
            }
        } onCancel: {
            cancel(transfer)
        }
    }

    /// Cancels a transfer, even if it has not started yet.
    func cancel(_ transfer: Transfer) {
        transfer.markCancelled()
        post(.cancel(transfer))
    }

    /// The next piece of a response body, or `nil` at the end.
    func nextPiece(of transfer: Transfer) async -> [UInt8]? {
        guard let stream = transfer.stream else { return nil }
        await stream.waitForBytes()
        let (bytes, mustResume) = stream.take()
        if mustResume { post(.resume(transfer)) }
        return bytes.isEmpty ? nil : bytes
    }

    /// Lists the cookies in a jar; empty if the thread is closed.
    func listCookies(of jar: CookieJar, _ handler: @escaping @Sendable ([HTTPCookie]) -> Void) {
        if !post(.list(jar, handler)) { handler([]) }
    }

    /// Sends a message to the thread; returns `false` if the thread is closed.
    @discardableResult
    func post(_ message: Message) -> Bool {
        let (isTaken, mustWake) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            state.inbox.append(message)
            let mustWake = state.isAsleep
            state.isAsleep = false
            return (true, mustWake)
        }
        if mustWake { multi.wakeUp() }
        return isTaken
    }

    /// Stops accepting messages and makes the thread fail all transfers and end.
    func close() {
        let mustWake = state.withLock { state in
            state.isClosed = true
            return state.isAsleep
        }
        if mustWake { multi.wakeUp() }
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.enders.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Takes the pending messages and whether the thread was closed. Called by the thread.
    func take() -> (messages: [Message], isClosed: Bool) {
        state.withLock { state in
            state.isAsleep = false
            let messages = state.inbox
            state.inbox.removeAll(keepingCapacity: false)
            return (messages, state.isClosed)
        }
    }

    /// Whether the inbox is empty, so that the thread may sleep until it is woken.
    func fallAsleep() -> Bool {
        state.withLock { state in
            state.isAsleep = state.inbox.isEmpty && !state.isClosed
            return state.isAsleep
        }
    }

    private func end() {
        let enders = state.withLock { state in
            state.hasEnded = true
            let enders = state.enders
            state.enders = []
            return enders
        }
        for ender in enders { ender.resume() }
    }
}

/// A system thread that runs one closure with all signals blocked.
///
/// This includes SIGPIPE, so that writing to a closed connection fails with an error instead; TLS
/// libraries have no option for that.
private enum SystemThread {
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
@safe private struct HeapReserve: ~Copyable {
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
