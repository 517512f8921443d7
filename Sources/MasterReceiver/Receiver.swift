internal import HTTPTypes
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOPosix

/// An HTTP receiver that accepts any method and path, hands on what it got and answers.
///
/// ```swift
/// try await Receiver.run(onRequest: { print($0.method, $0.target) }) { receiver in
///     print("listening on \(receiver.address)")
/// }
/// ```
public struct Receiver: Sendable {
    /// Where it listens; the port is the real one when any free port was asked for.
    public let address: ReceiverAddress

    /// Listens while the body runs; afterwards connections are closed and the port is free again.
    ///
    /// - Parameters:
    ///   - configuration: Where to listen and how to answer.
    ///   - onRequest: Called with each request before it is answered, so a slow one slows senders
    ///     down and nothing piles up. Calls begin in the order of numbers, but may overlap.
    ///   - body: Called once requests can arrive.
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
        _ configuration: ReceiverConfiguration,
        on loops: MultiThreadedEventLoopGroup,
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
            configuration: ServerConfiguration(
                address: .hostname(wanted.host, port: wanted.port)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? wanted.port
                listening.yield(ReceiverAddress(host: wanted.host, port: port))
            },
            eventLoopGroup: loops,
            logger: Logger(label: "receiver") { _ in SwiftLogNoOpLogHandler() }
        )

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
            for try await address in bound {
                return try await body(Receiver(address: address))
            }
            throw CancellationError()
        }
    }
}
