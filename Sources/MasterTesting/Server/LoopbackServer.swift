import Glibc
import Synchronization

/// An HTTP server on 127.0.0.1 for tests, with real sockets, scripted responses, and a record of
/// all requests.
///
/// Each connection has its own thread and stays open between requests. The handler is called on
/// that thread when a request is complete; its response may be malformed, or delayed until the test
/// allows it. When used as a forward proxy, the server receives requests whose target is a full
/// URL.
public final class LoopbackServer: Sendable {
    /// Chooses the response to a request.
    public typealias Handler = @Sendable (ReceivedRequest) -> ServerAnswer

    private struct State {
        var requests: [ReceivedRequest] = []
        var connections = 0
        var threads = 0
        var isStopped = false
        var enders: [CheckedContinuation<Void, Never>] = []
    }

    /// The port, chosen by the system.
    public let port: Int
    private let listener: Descriptor
    private let stopSignal: SignalPipe
    private let readsBodies: Bool
    private let handler: Handler
    private let state = Mutex(State())
    private let waiters = Waiters()

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - port: The port, such as that of a stopped server to replace; 0 for any.
    ///   - readsBodies: Whether to read the bodies of requests.
    ///   - handler: Chooses the response to a request.
    /// - Throws: `ServerFault` if the system has no socket or thread left.
    public init(port: Int = 0, readsBodies: Bool = true, handler: @escaping Handler) throws {
        self.readsBodies = readsBodies
        self.handler = handler
        listener = try Descriptor.listening(port: port)
        stopSignal = try SignalPipe()
        self.port = listener.port
        state.withLock { $0.threads = 1 }
        try ServerThread.start { [self] in
            accept()
            shutdown(listener.number, Int32(SHUT_RDWR))
            threadEnded()
        }
    }

    /// The URL without a trailing slash: `http://127.0.0.1:PORT`.
    public var url: String { "http://127.0.0.1:\(port)" }

    /// The requests received so far, in the order they were completed.
    public var requests: [ReceivedRequest] { state.withLock { $0.requests } }

    /// The number of connections accepted so far.
    public var connectionCount: Int { state.withLock { $0.connections } }

    /// Waits for a number of requests and returns all received; fewer if the server stops or the
    /// task is cancelled.
    @discardableResult
    public func waitForRequests(_ count: Int) async -> [ReceivedRequest] {
        await waiters.wait {
            self.state.withLock { $0.requests.count >= count || $0.isStopped }
        }
        return requests
    }

    /// Stops the server and closes all connections; returns when all of its threads have ended.
    public func stop() async {
        state.withLock { $0.isStopped = true }
        waiters.check()
        stopSignal.signal()
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if state.threads > 0 { state.enders.append(continuation) }
                return state.threads == 0
            }
            if hasEnded { continuation.resume() }
        }
    }

    private func accept() {
        while listener.waitUntilReadable(or: stopSignal.reader) {
            guard let socket = listener.accept() else { continue }
            let number = state.withLock { state in
                state.connections += 1
                state.threads += 1
                return state.connections
            }
            do {
                try ServerThread.start { [self] in
                    serve(socket, number)
                    threadEnded()
                }
            } catch {
                threadEnded()
            }
        }
    }

    private func serve(_ socket: Descriptor, _ number: Int) {
        let connection = ServerConnection(
            socket: socket, stopSignal: stopSignal.reader, number: number, readsBodies: readsBodies)
        while let request = connection.receive() {
            state.withLock { $0.requests.append(request) }
            waiters.check()
            guard connection.carryOut(handler(request), isHead: request.method == "HEAD") else {
                return
            }
        }
    }

    private func threadEnded() {
        let enders = state.withLock { state in
            state.threads -= 1
            guard state.threads == 0 else { return [CheckedContinuation<Void, Never>]() }
            let enders = state.enders
            state.enders = []
            return enders
        }
        for ender in enders { ender.resume() }
    }
}

/// Runs a closure with a server that is always stopped afterwards.
public func withLoopbackServer<Value>(
    readsBodies: Bool = true, handler: @escaping LoopbackServer.Handler = { _ in .text("ok\n") },
    _ body: (LoopbackServer) async throws -> Value
) async throws -> Value {
    let server = try LoopbackServer(readsBodies: readsBodies, handler: handler)
    do {
        let value = try await body(server)
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}

/// Delays responses of a `LoopbackServer` until a test allows them.
///
/// A gate counts: `pass(2)` allows two responses, waiting or future ones.
public final class ServerGate: Sendable {
    private let pipe: SignalPipe
    private let isOpen = Atomic(false)
    private let finished = Mutex((count: 0, waiters: [CheckedContinuation<Void, Never>]()))

    /// Creates a closed gate.
    ///
    /// - Throws: `ServerFault` if the system has no descriptor left.
    public init() throws {
        pipe = try SignalPipe()
    }

    /// Allows a number of responses.
    public func pass(_ count: Int = 1) {
        for _ in 0..<count { pipe.signal() }
    }

    /// Allows all responses from now on.
    public func open() {
        isOpen.store(true, ordering: .releasing)
        pipe.signal()
    }

    /// Waits until the server has completed one allowed action.
    public func done() async {
        await withCheckedContinuation { continuation in
            let isDone = finished.withLock { finished in
                guard finished.count > 0 else {
                    finished.waiters.append(continuation)
                    return false
                }
                finished.count -= 1
                return true
            }
            if isDone { continuation.resume() }
        }
    }

    /// Signals that an allowed action is complete.
    func markDone() {
        let waiter = finished.withLock { finished in
            if let waiter = finished.waiters.first {
                finished.waiters.removeFirst()
                return Optional(waiter)
            }
            finished.count += 1
            return nil
        }
        waiter?.resume()
    }

    /// Waits for permission and uses it up; returns `false` if the other descriptor became readable
    /// first.
    func wait(or stop: Descriptor) -> Bool {
        while pipe.reader.waitUntilReadable(or: stop) {
            if isOpen.load(ordering: .acquiring) || pipe.takeOne() { return true }
        }
        return false
    }
}

/// How a `LoopbackServer` responds to a request, mostly in ways a good server never does.
public indirect enum ServerAnswer: Sendable {
    /// A complete response with `Content-Length`; the connection stays open.
    case respond(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [])
    /// A complete chunked response.
    case chunked(status: Int = 200, headers: [(String, String)] = [], chunks: [[UInt8]])
    /// Nothing, until the client disconnects or the server stops.
    case hang
    /// Closes the connection without sending anything.
    case closeBeforeAnswer
    /// Announces the complete body, sends the given number of its bytes, and closes the connection.
    case closeHalfway(
        status: Int = 200, headers: [(String, String)] = [], body: [UInt8], after: Int)
    /// Resets the connection (RST).
    case reset
    /// Only these bytes; then closes the connection.
    case raw([UInt8])
    /// Pieces, each sent when the gate allows it; then closes the connection.
    case trickle([[UInt8]], ServerGate)
    /// The head once, then the other bytes repeatedly until the client disconnects.
    case endless(head: [UInt8], repeating: [UInt8])
    /// A response, delayed until the gate allows it.
    case afterSignal(ServerGate, ServerAnswer)
    /// A response; then, when the gate allows it, unsolicited bytes, or the end of the connection
    /// if there are none. `ServerGate.done` waits until they have been sent.
    case followed(ServerAnswer, by: [UInt8], ServerGate)

    /// Creates a complete response with a text body.
    public static func text(
        _ text: String, status: Int = 200, headers: [(String, String)] = []
    ) -> ServerAnswer {
        .respond(status: status, headers: headers, body: Array(text.utf8))
    }

    /// Creates a redirect.
    public static func redirect(_ status: Int = 302, to location: String) -> ServerAnswer {
        .respond(status: status, headers: [("Location", location)])
    }
}

/// The error if a `LoopbackServer` cannot be started.
public struct ServerFault: Error, CustomStringConvertible {
    /// The failed call and the reason.
    public let description: String

    /// Creates an error from `errno`.
    init(_ call: String) {
        self.init(call, code: errno)
    }

    /// Creates an error from the error number returned by a call.
    init(_ call: String, code: Int32) {
        description = unsafe "\(call): \(String(cString: strerror(code)))"
    }
}

/// A request as a `LoopbackServer` received it.
public struct ReceivedRequest: Sendable, Hashable {
    /// The method as sent.
    public let method: String
    /// The request target: a path with its query, or a full URL if the server is used as a proxy.
    public let target: String
    /// The header lines as received, in order.
    public let headerLines: [String]
    /// The body.
    public let body: [UInt8]
    /// The number of its connection, starting at 1.
    public let connection: Int

    /// The first value of a header; the name is case-insensitive.
    public func header(_ name: String) -> String? {
        values(of: name).first
    }

    /// All values of a header, in order.
    public func values(of name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The headers as names and values, in order.
    public var headers: [(name: String, value: String)] {
        headerLines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst().drop { $0 == " " || $0 == "\t" }
            return (String(line[..<colon]), String(value))
        }
    }

    /// The body as UTF-8 text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }
}
