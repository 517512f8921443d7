import Glibc

/// A connection of a `LoopbackServer`, created and used only on its thread.
final class ServerConnection {
    /// The maximum size of a request head, in bytes.
    private static let longestHead = 1 << 20

    private let socket: Descriptor
    private let stopSignal: Descriptor
    private let number: Int
    private let readsBodies: Bool
    private var waiting: [UInt8] = []

    init(socket: Descriptor, stopSignal: Descriptor, number: Int, readsBodies: Bool) {
        self.socket = socket
        self.stopSignal = stopSignal
        self.number = number
        self.readsBodies = readsBodies
    }

    // MARK: Receiving

    /// Reads the next request; returns `nil` if the client or server closes the connection or the
    /// data is not a valid request.
    func receive() -> ReceivedRequest? {
        guard let head = receiveHead() else { return nil }
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        let request = ReceivedRequest(
            method: words[0], target: words[1], headerLines: Array(lines.dropFirst()), body: [],
            connection: number)
        guard readsBodies else { return request }
        guard let body = receiveBody(of: request) else { return nil }
        return ReceivedRequest(
            method: words[0], target: words[1], headerLines: request.headerLines, body: body,
            connection: number)
    }

    private func receiveHead() -> String? {
        var searched = 0
        while true {
            if let end = endOfHead(from: max(0, searched - 3)) {
                let head = String(decoding: waiting[..<end], as: UTF8.self)
                waiting.removeFirst(end)
                return head
            }
            searched = waiting.count
            guard searched < Self.longestHead, receiveMore() else { return nil }
        }
    }

    private func endOfHead(from start: Int) -> Int? {
        guard waiting.count >= 4 else { return nil }
        for index in start...(waiting.count - 4)
        where waiting[index..<index + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A]) {
            return index + 4
        }
        return nil
    }

    private func receiveBody(of request: ReceivedRequest) -> [UInt8]? {
        guard request.header("Transfer-Encoding") == nil else {
            return receiveChunks()
        }
        let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
        if length > 0, request.header("Expect")?.lowercased() == "100-continue" {
            send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        return receive(max(0, length))
    }

    private func receiveChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = receiveLine(),
                let length = Int(line.prefix { $0 != ";" }, radix: 16), length >= 0
            else { return nil }
            guard length > 0 else { break }
            guard let chunk = receive(length), receiveLine() != nil else { return nil }
            body += chunk
        }
        while let trailer = receiveLine() {
            if trailer.isEmpty { return body }
        }
        return nil
    }

    private func receiveLine() -> String? {
        while true {
            if let end = waiting.firstIndex(of: 0x0A) {
                let line = String(decoding: waiting[..<end], as: UTF8.self)
                waiting.removeFirst(end + 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            guard waiting.count < Self.longestHead, receiveMore() else { return nil }
        }
    }

    private func receive(_ count: Int) -> [UInt8]? {
        while waiting.count < count {
            guard receiveMore() else { return nil }
        }
        let bytes = Array(waiting[..<count])
        waiting.removeFirst(count)
        return bytes
    }

    private func receiveMore() -> Bool {
        while socket.waitUntilReadable(or: stopSignal) {
            var room = [UInt8](repeating: 0, count: 64 << 10)
            let count = unsafe recv(socket.number, &room, room.count, 0)
            if count > 0 {
                waiting += room[..<count]
                return true
            }
            guard count < 0, errno == EAGAIN || errno == EINTR else { return false }
        }
        return false
    }

    // MARK: Responding

    /// Sends a response; returns `false` if the connection ends with it.
    func carryOut(_ answer: ServerAnswer, isHead: Bool) -> Bool {
        switch answer {
        case .respond(let status, let headers, let body):
            let head = Self.head(status, headers, length: body.count)
            return send(isHead ? head : head + body)
        case .chunked(let status, let headers, let chunks):
            let head = Self.head(status, headers + [("Transfer-Encoding", "chunked")])
            return send(isHead ? head : head + Self.chunked(chunks))
        case .hang: return waitForEnd()
        case .closeBeforeAnswer: return false
        case .closeHalfway(let status, let headers, let body, let count):
            send(Self.head(status, headers, length: body.count) + body.prefix(count))
            return false
        case .reset: return tearDown()
        case .raw(let bytes):
            send(bytes)
            return false
        case .trickle(let pieces, let gate):
            for piece in pieces {
                guard gate.wait(or: stopSignal), send(piece) else { return false }
            }
            return false
        case .endless(let head, let piece):
            guard !piece.isEmpty, send(head) else { return false }
            while send(piece) {}
            return false
        case .afterSignal(let gate, let answer):
            return gate.wait(or: stopSignal) && carryOut(answer, isHead: isHead)
        case .followed(let answer, let bytes, let gate):
            guard carryOut(answer, isHead: isHead), gate.wait(or: stopSignal) else { return false }
            let isOpen = !bytes.isEmpty && send(bytes)
            if !isOpen { shutdown(socket.number, Int32(SHUT_WR)) }
            gate.markDone()
            return isOpen
        }
    }

    @discardableResult
    private func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    socket.number, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                sent += count
            } else if errno == EAGAIN {
                guard socket.waitUntilWritable(or: stopSignal) else { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Waits until the client disconnects; always returns `false`.
    private func waitForEnd() -> Bool {
        guard readsBodies else {
            socket.waitUntilHungUp(or: stopSignal)
            return false
        }
        while receiveMore() { waiting = [] }
        return false
    }

    private func tearDown() -> Bool {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            socket.number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        return false
    }

    private static func head(
        _ status: Int, _ headers: [(String, String)], length: Int? = nil
    ) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(reasons[status] ?? "Status")\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let isNamed = headers.contains { $0.0.lowercased() == "content-length" }
        if let length, !isNamed, status != 204, status != 304 {
            head += "Content-Length: \(length)\r\n"
        }
        return Array((head + "\r\n").utf8)
    }

    private static func chunked(_ chunks: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for chunk in chunks where !chunk.isEmpty {
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [0x0D, 0x0A]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently",
        302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect",
        308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found", 407: "Proxy Authentication Required", 410: "Gone",
        413: "Content Too Large", 422: "Unprocessable Content", 429: "Too Many Requests",
        500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    ]
}

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
