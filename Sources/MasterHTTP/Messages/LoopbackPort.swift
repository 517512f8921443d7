import CLibCurl
import Glibc

/// A TCP port of this machine.
public struct LoopbackPort: Sendable, Hashable {
    /// How long a listener with a full queue may take to answer, in milliseconds.
    private static let patience: CInt = 250

    /// The number, from 1 to 65535.
    public let number: Int

    /// Creates a port.
    public init(_ number: Int) {
        precondition((1...65535).contains(number), "a port is a number from 1 to 65535")
        self.number = number
    }

    /// Whether a program accepts connections at `127.0.0.1` or `::1`.
    public var isOpen: Bool {
        var four = sockaddr_in()
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = in_port_t(number).bigEndian
        four.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        if Self.answers(AF_INET, &four) { return true }
        var six = sockaddr_in6()
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = in_port_t(number).bigEndian
        six.sin6_addr = in6addr_loopback
        return Self.answers(AF_INET6, &six)
    }

    private static func answers<Address>(_ family: CInt, _ address: inout Address) -> Bool {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let file = socket(family, kind | CInt(SOCK_NONBLOCK.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        let size = socklen_t(MemoryLayout<Address>.size)
        let status = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe bytes.baseAddress.map {
                unsafe connect(file, $0.assumingMemoryBound(to: sockaddr.self), size)
            } ?? -1
        }
        if status == 0 { return true }
        guard errno == EINPROGRESS else { return false }
        var polled = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&polled, 1, patience) == 1 else { return false }
        var fault: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return unsafe getsockopt(file, SOL_SOCKET, SO_ERROR, &fault, &length) == 0 && fault == 0
    }
}

extension HTTPAddress {
    /// The port, if the host is this machine by a name that every machine has for itself.
    public var loopbackPort: LoopbackPort? {
        let isLoopback = host == "localhost" || host.hasPrefix("127.") || host == "[::1]"
        return isLoopback && (1...65535).contains(port) ? LoopbackPort(port) : nil
    }
}
