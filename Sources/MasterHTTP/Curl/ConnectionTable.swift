import CLibCurl
import Glibc

/// Which sockets libcurl waits for, kept in step with the kernel as lazily as can be.
///
/// Between two requests on one connection libcurl stops waiting for its socket and begins again:
/// only what differs when the thread is about to sleep is told to the kernel, and a socket that
/// nobody waits for is told once something comes on it. That holds for connections, whose end is
/// heard of; what else libcurl waits for, such as the ends of its resolver, may be closed unheard
/// and its number given to a connection, so it is forgotten at once. Used on the curl thread,
/// but for `wakeUp`.
final class ConnectionTable {
    private struct Socket {
        /// What libcurl waits for.
        var wanted: Int32 = 0
        /// What the kernel watches for.
        var watched: Int32 = 0
        var isListed = false
        /// Whether its closing will be heard of.
        var isConnection = false
        /// The ends of a connection that stands.
        var ends: ConnectionEnds?
        /// Whether a request was sent on it.
        var wasUsed = false
    }

    /// What a connection is to the request that is about to be sent on it.
    enum Connection {
        case new
        /// One on which all that was asked has been answered.
        case idle
        /// One that is closed, or on which something came that nobody asked for.
        case stale
    }

    private let epoll: Int32
    private let wakeEvent: Int32
    private var sockets: [Int32: Socket] = [:]
    private var changed: [Int32] = []
    /// The connections that stood when a request was sent on them.
    private var connections: [ConnectionEnds: Int32] = [:]
    /// The connections that may not stand yet.
    private var pending: [Int32] = []
    private var ready = [master_ready](repeating: master_ready(), count: 64)

    init() throws(HTTPError) {
        epoll = master_epoll_create()
        wakeEvent = master_event_create()
        guard epoll >= 0, wakeEvent >= 0,
            master_epoll_watch(epoll, wakeEvent, CURL_POLL_IN, 0) == 0
        else {
            close(epoll)
            close(wakeEvent)
            throw HTTPError(
                .transferFailed,
                "this process has no file descriptor left for the HTTP client; raise the limit of open "
                    + "files (ulimit -n)"
            )
        }
    }

    deinit {
        close(epoll)
        close(wakeEvent)
    }

    /// Notes a connection, whose closing will be told, too.
    func opened(_ descriptor: Int32) {
        guard descriptor >= 0 else { return }
        sockets[descriptor] = Socket(isConnection: true)
        pending.append(descriptor)
    }

    /// Whether a connection that was opened stands.
    func stands(_ descriptor: Int32) -> Bool {
        sockets[descriptor]?.isConnection == true && ConnectionEnds(of: descriptor) != nil
    }

    /// Whether a request may be sent on a connection.
    ///
    /// libcurl takes a connection for alive on which the end of TLS, or an answer that nobody asked
    /// for, waits to be read. The next request would get that answer, or none. With `mustBeNew`
    /// libcurl was told not to use one that stands.
    func use(_ ends: ConnectionEnds, mustBeNew: Bool) -> Connection {
        for descriptor in pending {
            guard let ends = ConnectionEnds(of: descriptor) else { continue }
            sockets[descriptor]?.ends = ends
            connections[ends] = descriptor
        }
        pending.removeAll { sockets[$0]?.ends != nil }
        guard let descriptor = connections[ends], let socket = sockets[descriptor] else {
            return mustBeNew ? .new : .stale
        }
        sockets[descriptor]?.wasUsed = true
        guard socket.wasUsed, !mustBeNew else { return .new }
        return master_socket_is_quiet(descriptor) == 1 ? .idle : .stale
    }

    /// Takes what libcurl now waits for on a socket; nothing when it no longer does.
    func want(_ what: Int32, on descriptor: Int32) {
        var socket = sockets[descriptor] ?? Socket()
        if what == CURL_POLL_REMOVE, !socket.isConnection {
            _ = master_epoll_forget(epoll, descriptor)
            sockets[descriptor] = nil
            return
        }
        socket.wanted = what == CURL_POLL_REMOVE ? 0 : what
        list(descriptor, &socket)
        sockets[descriptor] = socket
    }

    /// Forgets a socket that is closed; the kernel does so by itself.
    func closed(_ descriptor: Int32) {
        if let ends = sockets[descriptor]?.ends { connections[ends] = nil }
        pending.removeAll { $0 == descriptor }
        sockets[descriptor] = nil
    }

    /// Makes `wait` return, now or at its next call; any thread may.
    func wakeUp() {
        master_event_set(wakeEvent)
    }

    /// Waits for sockets, and hands each that is ready to the closure.
    func wait(milliseconds: Int32, _ handle: (_ descriptor: Int32, _ events: Int32) -> Void) {
        tellKernel()
        let count = unsafe ready.withUnsafeMutableBufferPointer { buffer in
            unsafe master_epoll_wait(epoll, buffer.baseAddress, 64, milliseconds)
        }
        for index in 0..<Int(count) {
            let (descriptor, events) = (ready[index].descriptor, ready[index].events)
            if descriptor == wakeEvent {
                master_event_clear(wakeEvent)
            } else if let socket = sockets[descriptor], socket.wanted != 0 {
                handle(descriptor, events)
            } else {
                forget(descriptor)
            }
        }
    }

    private func list(_ descriptor: Int32, _ socket: inout Socket) {
        guard !socket.isListed else { return }
        socket.isListed = true
        changed.append(descriptor)
    }

    private func tellKernel() {
        for descriptor in changed {
            guard var socket = sockets[descriptor] else { continue }
            socket.isListed = false
            if socket.wanted != 0, socket.wanted != socket.watched {
                let known: Int32 = socket.watched == 0 ? 0 : 1
                if master_epoll_watch(epoll, descriptor, socket.wanted, known) == 0 {
                    socket.watched = socket.wanted
                }
            }
            sockets[descriptor] = socket
        }
        changed.removeAll(keepingCapacity: true)
    }

    private func forget(_ descriptor: Int32) {
        _ = master_epoll_forget(epoll, descriptor)
        sockets[descriptor]?.watched = 0
    }
}

/// Which connection it is: no two share the port on this side and the address on the other.
struct ConnectionEnds: Hashable {
    private let port: Int32
    private let high: UInt64
    private let low: UInt64

    /// Takes what the system tells of a socket; nil while it is not connected.
    init?(of descriptor: Int32) {
        self.init(master_socket_ends(descriptor))
        guard port > 0 else { return nil }
    }

    /// Takes what libcurl tells of the connection that it is going to use.
    init(localPort: Int32, peer: UnsafePointer<CChar>?) {
        self.init(unsafe master_told_ends(localPort, peer))
    }

    private init(_ ends: master_ends) {
        port = ends.port
        (high, low) = ends.address
    }
}
