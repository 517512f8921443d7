import CLibCurl
import Glibc

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
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.pointer) == CURLM_OK
    }

    /// Removes a transfer, finished or not.
    func remove(_ easy: EasyHandle) {
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
}

/// Initializes libcurl for the whole process.
enum CurlGlobal {
    private static let result = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    /// Loads libcurl, which stands before any other call; safe from any thread.
    static func load() throws(HTTPError) {
        guard let fault = unsafe master_curl_load() else { return }
        let reason = unsafe String(cString: fault)
        guard !HTTPError.isWithoutDescriptors else { throw .noDescriptors }
        throw HTTPError(
            .transferFailed,
            "libcurl cannot be loaded: \(reason); install or update libcurl 4")
    }

    /// Loads and starts libcurl once; safe from any thread.
    static func start() throws(HTTPError) {
        try load()
        guard result == CURLE_OK else {
            throw HTTPError(.transferFailed, "libcurl failed to start: \(result.explanation)")
        }
    }
}

extension CURLcode {
    /// libcurl's description of the code.
    var explanation: String {
        unsafe String(cString: curl_easy_strerror(self))
    }
}

/// Tracks libcurl's open connections and decides whether a request may be sent on one. Used on the
/// curl thread.
final class ConnectionTable {
    private struct Socket {
        /// The endpoints, once connected.
        var ends: ConnectionEnds?
        /// Whether a request has been sent on it.
        var wasUsed = false
    }

    /// The state of a connection chosen for a request.
    enum Connection {
        case new
        /// Every earlier request has been answered.
        case idle
        /// Closed, or with unexpected data waiting to be read.
        case stale
    }

    private var sockets: [Int32: Socket] = [:]
    /// The connections on which a request was sent.
    private var connections: [ConnectionEnds: Int32] = [:]
    /// The sockets that may not be connected yet.
    private var pending: [Int32] = []

    /// Records a connection that is being opened.
    func opened(_ descriptor: Int32) {
        sockets[descriptor] = Socket()
        pending.append(descriptor)
    }

    /// Removes a connection that was closed.
    func closed(_ descriptor: Int32) {
        if let ends = sockets[descriptor]?.ends { connections[ends] = nil }
        pending.removeAll { $0 == descriptor }
        sockets[descriptor] = nil
    }

    /// Whether an opened connection has been established.
    func isConnected(_ descriptor: Int32) -> Bool {
        sockets[descriptor] != nil && ConnectionEnds(of: descriptor) != nil
    }

    /// Marks a connection as used and returns the state it was in.
    ///
    /// libcurl considers a connection alive even if a TLS close notification or an unsolicited
    /// response is waiting to be read. The next request would get that response, or none. With
    /// `mustBeNew`, libcurl was told not to reuse a connection.
    func use(_ ends: ConnectionEnds, mustBeNew: Bool) -> Connection {
        for descriptor in pending {
            guard let ends = ConnectionEnds(of: descriptor) else { continue }
            sockets[descriptor]?.ends = ends
            connections[ends] = descriptor
        }
        if !pending.isEmpty { pending.removeAll { sockets[$0]?.ends != nil } }
        guard let descriptor = connections[ends], let socket = sockets[descriptor] else {
            return mustBeNew ? .new : .stale
        }
        guard socket.wasUsed, !mustBeNew else {
            sockets[descriptor]?.wasUsed = true
            return .new
        }
        return master_socket_is_quiet(descriptor) == 1 ? .idle : .stale
    }
}

/// Identifies a connection: no two have the same local port and peer address.
struct ConnectionEnds: Hashable {
    private let port: Int32
    private let high: UInt64
    private let low: UInt64

    /// Reads the endpoints of a socket; `nil` if it is not connected.
    init?(of descriptor: Int32) {
        self.init(master_socket_ends(descriptor))
        guard port > 0 else { return nil }
    }

    /// Parses libcurl's description of the connection it is about to use.
    init(localPort: Int32, peer: UnsafePointer<CChar>?) {
        self.init(unsafe master_reported_ends(localPort, peer))
    }

    private init(_ ends: master_ends) {
        port = ends.port
        (high, low) = ends.address
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
