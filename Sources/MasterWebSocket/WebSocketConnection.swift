package import NIOCore
package import NIOHTTP1
package import NIOWebSocket

/// A message of a WebSocket connection.
package enum WebSocketMessage: Sendable, Hashable {
    case text(String)
    case binary([UInt8])
}

/// The limits of a WebSocket connection.
package struct WebSocketLimits: Sendable {
    /// The maximum size of a message in bytes, over all its fragments.
    package var messageSize = 1 << 20
    /// How often a client is pinged; one that sends nothing for twice as long is disconnected.
    package var pingInterval: Duration = .seconds(30)
    /// How long the client has to answer a close frame.
    package var closeTime: Duration = .seconds(2)

    /// Creates limits with their defaults.
    package init() {}
}

/// A WebSocket connection of a client: sends messages, and closes the connection.
///
/// Messages can be sent from several tasks; each is sent as a whole.
package struct WebSocketConnection: Sendable {
    /// The request that opened it.
    package let request: HTTPRequestHead
    /// The address of the client.
    package let remoteAddress: SocketAddress?
    private let channel: any Channel
    private let activity: WebSocketActivity
    private let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>

    /// When the client has last sent anything, be it a part of a message.
    package var lastActivity: ContinuousClock.Instant { activity.last }

    /// Sends a text, and waits while the client reads too slowly.
    package func send(_ text: String) async throws {
        try await send(.text, channel.allocator.buffer(string: text))
    }

    /// Sends texts, each as a message, in one write.
    package func send(_ texts: [String]) async throws {
        try await outbound.write(
            contentsOf: texts.map {
                WebSocketFrame(fin: true, opcode: .text, data: channel.allocator.buffer(string: $0))
            })
    }

    /// Sends bytes, and waits while the client reads too slowly.
    package func send(_ bytes: [UInt8]) async throws {
        try await send(.binary, channel.allocator.buffer(bytes: bytes))
    }

    /// Sends a close frame; the client's messages then end.
    package func close(_ code: WebSocketErrorCode, _ reason: String = "") async throws {
        var buffer = channel.allocator.buffer(capacity: 2 + reason.utf8.count)
        buffer.write(webSocketErrorCode: code)
        // A control frame has at most 125 bytes.
        var text = String(reason.unicodeScalars.prefix(123)).unicodeScalars
        while String(text).utf8.count > 123 { text.removeLast() }
        buffer.writeString(String(text))
        try await send(.connectionClose, buffer)
    }

    /// Ends the connection at once, without a close frame.
    package func cut() {
        channel.close(promise: nil)
    }

    fileprivate func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer) async throws {
        try await outbound.write(WebSocketFrame(fin: true, opcode: opcode, data: data))
    }

    // MARK: Serving

    /// Serves a connection until the client or the handler ends it.
    ///
    /// - Parameters:
    ///   - channel: The channel after the upgrade.
    ///   - request: The request that opened it.
    ///   - limits: The limits.
    ///   - activity: Notes what the client sends.
    ///   - handler: Reads and sends messages. The connection is closed normally when it returns;
    ///     with the code and the reason of a ``WebSocketFault`` that it throws; otherwise as an
    ///     internal error.
    /// - Throws: If the connection is lost.
    static func serve(
        _ channel: NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, _ request: HTTPRequestHead,
        limits: WebSocketLimits, activity: WebSocketActivity,
        _ handler: @Sendable (WebSocketConnection, inout WebSocketMessages) async throws -> Void
    ) async throws {
        try await channel.executeThenClose { inbound, outbound in
            let connection = WebSocketConnection(
                request: request, remoteAddress: channel.channel.remoteAddress,
                channel: channel.channel, activity: activity, outbound: outbound)
            var messages = WebSocketMessages(inbound, connection, limits)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await connection.ping(limits) }
                let end = await connection.end(of: handler, &messages)
                group.cancelAll()
                // Not while another task closes it.
                try? await group.waitForAll()
                guard !messages.isClosed else { return }
                try await connection.close(end.code, end.reason)
                // The client's answer, or the end of its patience.
                group.addTask {
                    try await Task.sleep(for: limits.closeTime)
                    channel.channel.close(promise: nil)
                }
                await messages.drain()
                group.cancelAll()
            }
        }
    }

    private func end(
        of handler: @Sendable (WebSocketConnection, inout WebSocketMessages) async throws -> Void,
        _ messages: inout WebSocketMessages
    ) async -> WebSocketFault {
        do {
            try await handler(self, &messages)
            return WebSocketFault(Task.isCancelled ? .goingAway : .normalClosure, "")
        } catch let fault as WebSocketFault {
            return fault
        } catch is CancellationError {
            return WebSocketFault(.goingAway, "the server is stopping")
        } catch {
            return WebSocketFault(.unexpectedServerError, "internal error")
        }
    }

    /// Pings the client, and closes the connection if it stays silent.
    private func ping(_ limits: WebSocketLimits) async throws {
        var silent = 0
        while true {
            let last = activity.last
            try await Task.sleep(for: limits.pingInterval)
            silent = activity.last != last ? 0 : silent + 1
            guard silent < 2 else {
                channel.close(promise: nil)
                return
            }
            try await send(.ping, channel.allocator.buffer(capacity: 0))
        }
    }
}

/// Why a WebSocket connection is closed.
package struct WebSocketFault: Error, CustomStringConvertible {
    /// The code of the close frame.
    package let code: WebSocketErrorCode
    /// What is wrong, in one sentence.
    package let reason: String

    /// Creates a reason to close a connection.
    package init(_ code: WebSocketErrorCode, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    /// The reason.
    package var description: String { reason }
}

/// The messages of a client, put together from frames; pings are answered on the way.
package struct WebSocketMessages {
    private var frames: NIOAsyncChannelInboundStream<WebSocketFrame>.AsyncIterator
    private let connection: WebSocketConnection
    private let limits: WebSocketLimits
    /// Whether the connection has ended, or the client has closed it.
    fileprivate private(set) var isClosed = false
    /// The fragments so far of a message.
    private var begun: (opcode: WebSocketOpcode, bytes: [UInt8])?

    fileprivate init(
        _ frames: NIOAsyncChannelInboundStream<WebSocketFrame>, _ connection: WebSocketConnection,
        _ limits: WebSocketLimits
    ) {
        self.frames = frames.makeAsyncIterator()
        self.connection = connection
        self.limits = limits
    }

    /// Waits for the next message; `nil` once the client has closed the connection, or if the task
    /// is cancelled.
    ///
    /// - Throws: ``WebSocketFault`` if the client breaks the protocol or exceeds the limits.
    package mutating func next() async throws -> WebSocketMessage? {
        while !isClosed {
            let next: WebSocketFrame?
            do {
                next = try await frames.next(isolation: #isolation)
            } catch NIOWebSocketError.invalidFrameLength {
                throw tooLarge
            } catch is NIOWebSocketError {
                throw WebSocketFault(.protocolError, "invalid frame")
            }
            guard let frame = next else {
                isClosed = !Task.isCancelled
                return nil
            }
            if let message = try await take(frame) { return message }
        }
        return nil
    }

    /// Reads until the client closes the connection.
    fileprivate mutating func drain() async {
        do {
            while let frame = try await frames.next(isolation: #isolation) {
                if frame.opcode == .connectionClose { return }
            }
        } catch {
            // The connection has ended.
        }
    }

    private mutating func take(_ frame: WebSocketFrame) async throws -> WebSocketMessage? {
        guard frame.maskKey != nil else {
            throw WebSocketFault(.protocolError, "frames of a client must be masked")
        }
        guard !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
            throw WebSocketFault(.protocolError, "a reserved bit is set")
        }
        let data = frame.unmaskedData
        switch frame.opcode {
        case .ping:
            try await connection.send(.pong, data)
            return nil
        case .pong:
            return nil
        case .connectionClose:
            isClosed = true
            try await connection.send(.connectionClose, data)
            return nil
        case .text, .binary:
            guard begun == nil else {
                throw WebSocketFault(.protocolError, "a message begins inside another one")
            }
            begun = (frame.opcode, [])
            return try append(data, isLast: frame.fin)
        case .continuation:
            guard begun != nil else {
                throw WebSocketFault(.protocolError, "a fragment belongs to no message")
            }
            return try append(data, isLast: frame.fin)
        default:
            throw WebSocketFault(.protocolError, "unknown kind of frame")
        }
    }

    private var tooLarge: WebSocketFault {
        WebSocketFault(.messageTooLarge, "a message has more than \(limits.messageSize) bytes")
    }

    private mutating func append(
        _ data: ByteBuffer, isLast: Bool
    ) throws(WebSocketFault) -> WebSocketMessage? {
        guard let count = begun?.bytes.count else { return nil }
        guard count + data.readableBytes <= limits.messageSize else {
            throw tooLarge
        }
        begun?.bytes.append(contentsOf: data.readableBytesView)
        guard isLast, let whole = begun else { return nil }
        begun = nil
        guard whole.opcode == .text else { return .binary(whole.bytes) }
        guard let text = String(validating: whole.bytes, as: UTF8.self) else {
            throw WebSocketFault(.dataInconsistentWithMessage, "a text is not valid UTF-8")
        }
        return .text(text)
    }
}
