import Glibc

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
