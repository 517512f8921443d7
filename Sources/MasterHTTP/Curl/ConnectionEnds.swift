import CLibCurl

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
