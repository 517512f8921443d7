import Glibc

/// Owns one file descriptor of a `LoopbackServer`.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        if number >= 0 { close(number) }
    }

    /// Creates a socket listening on 127.0.0.1, on the given port or, with 0, on one chosen by the
    /// system.
    static func listening(port: Int = 0) throws -> Descriptor {
        let socket = Descriptor(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        guard socket.number >= 0 else { throw ServerFault("socket") }
        try socket.makePrivate()
        var on: Int32 = 1
        unsafe setsockopt(
            socket.number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw ServerFault("bind") }
        guard listen(socket.number, 512) == 0 else { throw ServerFault("listen") }
        return socket
    }

    /// Makes the descriptor non-blocking and close-on-exec.
    func makePrivate() throws {
        guard becomesPrivate() else { throw ServerFault("fcntl") }
    }

    private func becomesPrivate() -> Bool {
        fcntl(number, F_SETFD, FD_CLOEXEC) == 0 && fcntl(number, F_SETFL, O_NONBLOCK) == 0
    }

    /// The port of a listening socket.
    var port: Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(number, $0, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Accepts the next connection, if any.
    func accept() -> Descriptor? {
        let socket = Descriptor(Glibc.accept(number, nil, nil))
        guard socket.number >= 0, socket.becomesPrivate() else { return nil }
        var on: Int32 = 1
        unsafe setsockopt(
            socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, &on,
            socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    /// Waits until the descriptor is readable; returns `false` if `stop` became readable first.
    func waitUntilReadable(or stop: Descriptor) -> Bool {
        wait(for: Int16(POLLIN), or: stop)
    }

    /// Waits until the descriptor is writable; returns `false` if `stop` became readable first.
    func waitUntilWritable(or stop: Descriptor) -> Bool {
        wait(for: Int16(POLLOUT), or: stop)
    }

    /// Waits until the peer closes the connection, without reading what it sent.
    func waitUntilHungUp(or stop: Descriptor) {
        _ = wait(for: Self.hungUp, or: stop)
    }

    /// POLLRDHUP, which the C library's module does not export.
    private static let hungUp: Int16 = 0x2000

    private func wait(for events: Int16, or stop: Descriptor) -> Bool {
        var watched = [
            pollfd(fd: number, events: events, revents: 0),
            pollfd(fd: stop.number, events: Int16(POLLIN), revents: 0),
        ]
        while unsafe poll(&watched, 2, -1) < 0 {
            guard errno == EINTR else { return false }
        }
        return watched[1].revents == 0
    }
}

/// A pipe that carries signals as bytes, so that a thread can wait for one while waiting for a
/// socket.
final class SignalPipe: Sendable {
    let reader: Descriptor
    private let writer: Descriptor

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw ServerFault("pipe") }
        reader = Descriptor(ends[0])
        writer = Descriptor(ends[1])
        try reader.makePrivate()
        try writer.makePrivate()
    }

    /// Sends one signal.
    func signal() {
        var byte: UInt8 = 1
        while unsafe write(writer.number, &byte, 1) < 0, errno == EINTR {}
    }

    /// Takes one signal; returns `false` if there is none.
    func takeOne() -> Bool {
        var byte: UInt8 = 0
        return unsafe read(reader.number, &byte, 1) == 1
    }
}

/// Runs a closure on its own thread, so that a server never blocks a task.
enum ServerThread {
    private final class Work: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts the thread, which ends when the closure returns.
    static func start(_ body: @escaping @Sendable () -> Void) throws {
        let code = create(Work(body))
        guard code == 0 else { throw ServerFault("pthread_create", code: code) }
    }

    private static func create(_ work: Work) -> Int32 {
        let context = unsafe Unmanaged.passRetained(work)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil, { unsafe ServerThread.run($0) }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            return code
        }
        pthread_detach(thread)
        return 0
    }

    private static func run(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context = unsafe context else { return nil }
        unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
        return nil
    }
}
