import CLibCurl

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
