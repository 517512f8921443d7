import MasterReceiver
import NIOCore
import NIOPosix
import Synchronization

/// A TCP connection on which a test controls the exact bytes sent.
struct RawConnection {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(to address: ReceiverAddress) async throws {
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Sends the pieces in order and returns everything received.
    func exchange(_ pieces: [String], halfClose: Bool = false) async throws -> String {
        try await channel.executeThenClose { inbound, outbound in
            for piece in pieces {
                try await outbound.write(ByteBuffer(string: piece))
            }
            if halfClose { try await channel.channel.close(mode: .output) }
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
            }
            return answer
        }
    }

    /// Sends one piece and closes the connection without waiting for a response.
    func sendAndClose(_ piece: String) async throws {
        try await channel.executeThenClose { _, outbound in
            try await outbound.write(ByteBuffer(string: piece))
        }
    }
}

/// Collects requests from a receiver and waits for more.
final class ReceivedRequests: Sendable {
    private let all = Mutex<[ReceivedRequest]>([])
    private let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    init() {
        (arrivals, arrived) = AsyncStream.makeStream()
    }

    var list: [ReceivedRequest] { all.withLock { $0 } }

    func add(_ request: ReceivedRequest) {
        all.withLock { $0.append(request) }
        arrived.yield()
    }

    /// Waits for a number of requests.
    func wait(for count: Int) async {
        guard list.count < count else { return }
        for await _ in arrivals where list.count >= count { return }
    }
}
