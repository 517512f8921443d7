import CLibCurl

/// The connections that libcurl opened, and whether a request may be sent on one; used on the curl
/// thread.
final class ConnectionTable {
    private struct Socket {
        /// The ends of a connection that is made.
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

    private var sockets: [Int32: Socket] = [:]
    /// The connections that a request was sent on.
    private var connections: [ConnectionEnds: Int32] = [:]
    /// The connections that may not be made yet.
    private var pending: [Int32] = []

    /// Notes a connection that is being opened.
    func opened(_ descriptor: Int32) {
        sockets[descriptor] = Socket()
        pending.append(descriptor)
    }

    /// Forgets a connection that is closed.
    func closed(_ descriptor: Int32) {
        if let ends = sockets[descriptor]?.ends { connections[ends] = nil }
        pending.removeAll { $0 == descriptor }
        sockets[descriptor] = nil
    }

    /// Whether a connection that was opened is made.
    func isConnected(_ descriptor: Int32) -> Bool {
        sockets[descriptor] != nil && ConnectionEnds(of: descriptor) != nil
    }

    /// Whether a request may be sent on a connection.
    ///
    /// libcurl takes a connection for alive on which the end of TLS, or an answer that nobody asked
    /// for, waits to be read. The next request would get that answer, or none. With `mustBeNew`
    /// libcurl was told not to use a kept one.
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
