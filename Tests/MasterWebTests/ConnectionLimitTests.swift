import Logging
import MasterTesting
import MasterWebSocket
import NIOCore
import NIOPosix
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ConnectionLimitTests {
    @Test(arguments: [
        (1, ["the page has as many connections as it takes, 1; others wait until one ends"]),
        (2, []),
    ])
    func `the log says that connections wait`(_ maximum: Int, _ warnings: [String]) async throws {
        let messages = RecordedMessages()
        let channel = WebSocketServerChannel(
            responder: { _, _, _ in throw CancellationError() }, accepts: { _, _ in false },
            handler: { _, _ in })
        let listener = try await ServerListener(
            host: "127.0.0.1", port: 0, name: "the page", maximum: maximum, connections: channel,
            logger: Logger(label: "test") { _ in messages.handler })
        // The second one is within the same minute.
        for _ in 1...2 { try await connect(to: listener) }
        #expect(messages.texts(at: .warning) == warnings)
        await listener.close(within: .zero)
    }

    /// Sends a request, and waits until the server has closed the connection.
    private func connect(to listener: ServerListener) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: listener.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
            for try await _ in inbound {}
        }
    }
}
