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
