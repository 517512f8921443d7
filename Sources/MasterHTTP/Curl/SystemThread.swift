import Glibc

/// A thread of the system that runs one closure, with every signal left to the other threads.
///
/// SIGPIPE is blocked with the others, so that a write to a connection that was closed is an error
/// of that write (TLS libraries cannot ask for it by themselves).
enum SystemThread {
    private final class Work {
        let body: () -> Void

        init(_ body: @escaping () -> Void) {
            self.body = body
        }
    }

    /// Starts the thread; it ends when the closure returns.
    ///
    /// - Throws: `HTTPError` of code `transferFailed` when the system has no thread.
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

/// Room in the heap of the thread that makes it, which the C library does not give back.
///
/// libcurl allocates some 40 KiB for each transfer and frees them at its end. Where these lie at
/// the top of a thread's heap, each round would return the pages to the system and fault them in again,
/// which cost a third of all time. A free block below one that stays is not returned. Pages that
/// are never used take no memory.
@safe struct HeapReserve: ~Copyable {
    /// Below what the C library takes from the system block by block.
    private static let piece = 64 << 10
    private static let pieces = 64

    private let guardian: UnsafeMutableRawPointer?

    /// Makes room for the transfers of a busy client, 4 MiB.
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
