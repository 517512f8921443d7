public import FoundationEssentials
internal import Glibc
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix

/// An HTTP server that accepts any method and path and passes each request to a closure.
///
/// ```swift
/// try await Receiver.run(onRequest: { print($0.method, $0.target) }) { receiver in
///     print("listening on \(receiver.address)")
/// }
/// ```
public struct Receiver: Sendable {
    /// Where it listens; with the actual port when port 0 was requested.
    public let address: ReceiverAddress

    /// Listens while the body runs, then closes connections and frees the port.
    ///
    /// - Parameters:
    ///   - configuration: Where to listen and how to respond.
    ///   - onRequest: Called with each request before the response is sent, so a slow one slows
    ///     senders down instead of queueing. Calls start in the order of numbers, but may overlap.
    ///   - body: Called once the receiver listens.
    /// - Returns: What the body returns.
    /// - Throws: ``ReceiverError`` when it cannot listen, and what the body throws.
    public static func run<Result>(
        _ configuration: ReceiverConfiguration = ReceiverConfiguration(),
        onRequest: @escaping @Sendable (ReceivedRequest) async -> Void,
        _ body: (Receiver) async throws -> Result
    ) async throws -> Result {
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let result = try await listen(configuration, on: loops, onRequest: onRequest, body)
            try await loops.shutdownGracefully()
            return result
        } catch {
            try await loops.shutdownGracefully()
            throw error
        }
    }

    private static func listen<Result>(
        _ configuration: ReceiverConfiguration, on loops: MultiThreadedEventLoopGroup,
        onRequest: @escaping @Sendable (ReceivedRequest) async -> Void,
        _ body: (Receiver) async throws -> Result
    ) async throws -> Result {
        let responder = ReceiverResponder(configuration: configuration, onRequest: onRequest)
        let (bound, listening) = AsyncThrowingStream<ReceiverAddress, any Error>.makeStream()
        let wanted = configuration.address
        let server = Server(
            childChannelSetup: HTTP1Channel { request, writer, _ in
                try await responder.respond(to: request, with: writer)
            },
            configuration: ServerConfiguration(address: .hostname(wanted.host, port: wanted.port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? wanted.port
                listening.yield(ReceiverAddress(host: wanted.host, port: port))
            }, eventLoopGroup: loops,
            logger: Logger(label: "receiver") { _ in SwiftLogNoOpLogHandler() })

        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await server.run()
                    listening.finish()
                } catch {
                    listening.finish(throwing: ReceiverError(error, listeningOn: wanted))
                }
            }
            defer { group.cancelAll() }
            for try await address in bound { return try await body(Receiver(address: address)) }
            throw CancellationError()
        }
    }
}

/// Where a receiver listens and how it responds.
public struct ReceiverConfiguration: Sendable, Hashable {
    /// The default for ``bodyLimit``: 64 MiB.
    public static let defaultBodyLimit = 64 << 20

    /// The status codes a receiver can respond with.
    public static let statuses = 200...599

    /// Where it listens.
    public var address: ReceiverAddress
    /// The status code of its responses.
    public var status: Int
    /// The delay before each response.
    public var delay: Duration
    /// The maximum size of a body in bytes; the response to a larger one is 413.
    public var bodyLimit: Int

    /// Creates a configuration.
    ///
    /// - Precondition: `status` is one of ``statuses``.
    public init(
        address: ReceiverAddress = ReceiverAddress(), status: Int = 200, delay: Duration = .zero,
        bodyLimit: Int = ReceiverConfiguration.defaultBodyLimit
    ) {
        precondition(Self.statuses.contains(status), "a receiver answers with 200 to 599")
        self.address = address
        self.status = status
        self.delay = delay
        self.bodyLimit = bodyLimit
    }
}

/// A host and a port to listen on.
public struct ReceiverAddress: Sendable, Hashable {
    /// The host name or IP address; an IPv6 address without brackets.
    public var host: String
    /// The port; 0 for any free one.
    public var port: Int

    /// Creates an address; the default is 127.0.0.1:9980.
    public init(host: String = "127.0.0.1", port: Int = 9980) {
        self.host = host
        self.port = port
    }

    /// Parses `HOST:PORT`, `:PORT`, `PORT`, `HOST` or `[IPV6]:PORT`; `nil` for anything else.
    ///
    /// Omitted parts have the defaults 127.0.0.1 and 9980.
    public init?(_ text: String) {
        self.init()
        var rest = text[...]
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return nil }
        } else if Int(rest) == nil {
            let name = rest.prefix { $0 != ":" }
            rest = rest[name.endIndex...]
            if !name.isEmpty { host = String(name) }
        } else {
            rest = ":" + rest
        }
        guard !text.isEmpty, !host.isEmpty, !host.contains(where: \.isWhitespace) else {
            return nil
        }
        guard !rest.isEmpty else { return }
        guard let port = Int(rest.dropFirst()), (0...65535).contains(port) else { return nil }
        self.port = port
    }
}

extension ReceiverAddress: CustomStringConvertible {
    /// The address as `HOST:PORT`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Why a receiver cannot listen, and how to fix it.
public struct ReceiverError: Error, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Sendable, Hashable {
        /// Another program is listening there.
        case portTaken
        /// The port is privileged.
        case notPermitted
        /// The host is unknown, or is another machine.
        case badHost
        /// Something else.
        case other
    }

    /// The kind of failure.
    public let code: Code
    /// What happened and how to fix it, in one sentence.
    public let message: String
    /// The underlying error.
    public let cause: any Error

    /// The message.
    public var description: String { message }

    init(_ cause: any Error, listeningOn address: ReceiverAddress) {
        self.cause = cause
        if cause is SocketAddressError.UnknownHost {
            code = .badHost
            message =
                "the receiver cannot listen on \(address): unknown host '\(address.host)'; "
                + "use an address of this machine, such as 127.0.0.1"
            return
        }
        switch (cause as? IOError)?.errnoCode {
        case EADDRINUSE:
            code = .portTaken
            message =
                "the receiver cannot listen on \(address): the port is in use; "
                + "stop the other program, or choose another port (0 for any free one)"
        case EACCES, EPERM:
            code = .notPermitted
            message =
                "the receiver cannot listen on \(address): ports below 1024 "
                + "need root; choose a higher one"
        case EADDRNOTAVAIL:
            code = .badHost
            message =
                "the receiver cannot listen on \(address): this machine does not have that "
                + "address; use 127.0.0.1, or 0.0.0.0 for all its addresses"
        default:
            code = .other
            message = "the receiver cannot listen on \(address): \(cause); choose another address"
        }
    }
}

/// Reads requests, passes them on and responds.
final class ReceiverResponder: Sendable {
    private let configuration: ReceiverConfiguration
    private let onRequest: @Sendable (ReceivedRequest) async -> Void
    private let counter = RequestCounter()

    init(
        configuration: ReceiverConfiguration,
        onRequest: @escaping @Sendable (ReceivedRequest) async -> Void
    ) {
        self.configuration = configuration
        self.onRequest = onRequest
    }

    /// Reads a request, passes it on, and responds after the delay.
    @concurrent
    func respond(to request: Request, with writer: consuming ResponseWriter) async throws {
        let receivedAt = Date()
        let received = try await readBody(of: request, informing: writer)
        await counter.pass(to: onRequest) { number in
            Self.record(number, request, receivedAt: receivedAt, received)
        }
        if let failure = received.failure { throw failure }
        guard received.extent == .whole else {
            return try await writer.write(answer(413, "the body is too large"))
        }
        if configuration.delay > .zero { try await Task.sleep(for: configuration.delay) }
        let status = configuration.status
        let text =
            (200...299).contains(status) ? "received" : "answered with \(status) as requested"
        try await writer.write(answer(status, text, to: request.method))
    }

    /// The body as far as it was read.
    private struct ReceivedBody {
        var body: [UInt8] = []
        var extent = ReceivedRequest.Extent.whole
        var failure: (any Error)?
    }

    @concurrent
    private func readBody(
        of request: Request, informing writer: borrowing ResponseWriter
    ) async throws -> ReceivedBody {
        var received = ReceivedBody()
        let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        guard announced <= configuration.bodyLimit else {
            received.extent = .tooLarge
            return received
        }
        if request.headers[.expect]?.lowercased() == "100-continue" {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        received.body.reserveCapacity(announced)
        do {
            for try await piece in request.body {
                guard received.body.count + piece.readableBytes <= configuration.bodyLimit else {
                    return ReceivedBody(extent: .tooLarge)
                }
                received.body.append(contentsOf: piece.readableBytesView)
            }
        } catch {
            received.extent = .cutShort
            received.failure = error
        }
        return received
    }

    private static func record(
        _ number: Int, _ request: Request, receivedAt: Date, _ received: ReceivedBody
    ) -> ReceivedRequest {
        let host = request.head.authority.map { [ReceivedRequest.Header("Host", $0)] } ?? []
        return ReceivedRequest(
            number: number, receivedAt: receivedAt, method: request.method.rawValue,
            target: request.head.path ?? "",
            headers: host + request.headers.map { .init($0.name.rawName, $0.value) },
            body: received.body, extent: received.extent)
    }

    private func answer(
        _ status: Int, _ text: String, to method: HTTPRequest.Method = .post
    ) -> Response {
        let status = HTTPResponse.Status(code: status)
        guard method != .head, status.code != 204, status.code != 304 else {
            return Response(status: status)
        }
        return Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
    }
}

/// Numbers requests and starts passing them on in that order.
private actor RequestCounter {
    private var count = 0

    func pass(
        to receive: @Sendable (ReceivedRequest) async -> Void,
        _ request: @Sendable (Int) -> ReceivedRequest
    ) async {
        count += 1
        await receive(request(count))
    }
}

extension ResponseWriter {
    @concurrent
    fileprivate consuming func write(_ response: Response) async throws {
        try await write(response: response.head, body: response.body)
    }
}

/// An HTTP request as it arrived.
public struct ReceivedRequest: Sendable, Hashable {
    /// A header, spelled as it was sent.
    public struct Header: Sendable, Hashable {
        /// The name.
        public let name: String
        /// The value.
        public let value: String

        /// Creates a header.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How much of the request arrived.
    public enum Extent: Sendable, Hashable {
        /// All of it.
        case whole
        /// The connection closed before the end of the body.
        case cutShort
        /// The body is larger than the receiver accepts, and was dropped.
        case tooLarge
    }

    /// Its number in the order of arrival, from 1.
    public let number: Int
    /// The time at which its headers had arrived.
    public let receivedAt: Date
    /// The method, such as `POST`.
    public let method: String
    /// The path with the query, as it was sent.
    public let target: String
    /// The headers in order.
    public let headers: [Header]
    /// The body, as far as it arrived.
    public let body: [UInt8]
    /// How much of it arrived.
    public let extent: Extent

    /// Creates a request.
    public init(
        number: Int, receivedAt: Date, method: String, target: String, headers: [Header] = [],
        body: [UInt8] = [], extent: Extent = .whole
    ) {
        self.number = number
        self.receivedAt = receivedAt
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.extent = extent
    }

    /// Returns the value of the first header with a name, ignoring case.
    public func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name.lowercased() == name }?.value
    }
}
