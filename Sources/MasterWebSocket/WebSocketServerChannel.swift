package import HummingbirdCore
package import Logging
package import NIOCore
package import NIOHTTP1
package import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1
package import NIOSSL
package import NIOWebSocket
internal import Synchronization

/// A server's connections: HTTP/1.1 requests, and WebSocket where a request asks for it.
///
/// A client that is slow to send its request, or that stops reading, is disconnected.
package struct WebSocketServerChannel: HTTPChannelHandler {
    /// The limits of connections.
    package struct Limits: Sendable {
        /// The maximum size of the request line and the headers together, in bytes.
        package var headSize = 16 << 10
        /// The maximum number of headers.
        package var headerCount = 100
        /// How long a request may take to arrive up to the end of its headers, and how long a
        /// connection may stay unused.
        package var idleTime: Duration = .seconds(60)
        /// How long a client may read nothing while something is to be sent.
        package var stallTime: Duration = .seconds(60)
        /// The limits of WebSocket connections.
        package var webSocket = WebSocketLimits()

        /// Creates limits with their defaults.
        package init() {}
    }

    /// Decides whether a request may become a WebSocket; otherwise it is answered as HTTP.
    package typealias Acceptance = @Sendable (HTTPRequestHead, SocketAddress?) -> Bool
    /// Handles the messages of a WebSocket.
    package typealias MessageHandler =
        @Sendable (WebSocketConnection, inout WebSocketMessages) async throws -> Void

    /// Answers requests.
    package let responder: Responder
    private let limits: Limits
    private let tls: @Sendable () -> NIOSSLContext?
    private let accepts: Acceptance
    private let handler: MessageHandler

    /// Creates the connections of a server.
    ///
    /// - Parameters:
    ///   - limits: The limits.
    ///   - tls: The certificate of new connections, or `nil` without TLS.
    ///   - responder: Answers requests that don't become a WebSocket.
    ///   - accepts: Decides whether one that asks for it may become one.
    ///   - handler: Handles the messages of a WebSocket.
    package init(
        limits: Limits = Limits(), tls: @escaping @Sendable () -> NIOSSLContext? = { nil },
        responder: @escaping Responder, accepts: @escaping Acceptance,
        handler: @escaping MessageHandler
    ) {
        self.limits = limits
        self.tls = tls
        self.responder = responder
        self.accepts = accepts
        self.handler = handler
    }

    /// What a connection turns out to be once its first request has arrived.
    package enum Kind: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, HTTPRequestHead)
    }

    /// A new connection.
    package struct Value: ServerChildChannelValue {
        /// The channel.
        package let channel: any Channel
        fileprivate let kind: EventLoopFuture<Kind>
        fileprivate let activity: WebSocketActivity
    }

    /// Prepares a connection.
    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            let context = tls()
            if let context {
                try pipeline.addHandler(PlainTextHandler())
                try pipeline.addHandler(NIOSSLServerHandler(context: context))
            }
            let activity = WebSocketActivity()
            try pipeline.addHandler(
                StallHandler(limit: TimeAmount(limits.stallTime), noting: activity))
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration(
                    upgraders: [upgrader]
                ) { notUpgrading($0, isSecure: context != nil, logger) })
            // The asynchronous channel takes one request after the other.
            configuration.enablePipelining = false
            configuration.decoderConfiguration.maxHeaderFieldSize = limits.headSize
            configuration.decoderConfiguration.maxHeaderListSize = limits.headSize
            configuration.decoderConfiguration.maxHeaderFieldCount = limits.headerCount
            let kind = try pipeline.configureUpgradableHTTPServerPipeline(
                configuration: configuration)
            // Before the one that upgrades, which loses requests that it can't upgrade.
            let decoder = try pipeline.context(
                handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(
                UpgradeFilter(accepts: accepts), position: .after(decoder.handler))
            try pipeline.addHandler(InvalidRequestHandler())
            let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(limits.idleTime)) {
                channel.close(promise: nil)
            }
            kind.whenComplete { _ in deadline.cancel() }
            return Value(channel: channel, kind: kind, activity: activity)
        }
    }

    private var upgrader: NIOTypedWebSocketServerUpgrader<Kind> {
        NIOTypedWebSocketServerUpgrader(
            maxFrameSize: limits.webSocket.messageSize,
            // The reader of the messages is told, and says why the connection is closed.
            enableAutomaticErrorHandling: false,
            shouldUpgrade: { channel, _ in
                channel.eventLoop.makeSucceededFuture(HTTPHeaders())
            },
            upgradePipelineHandler: { channel, head in
                channel.eventLoop.makeCompletedFuture {
                    .webSocket(try NIOAsyncChannel(wrappingChannelSynchronously: channel), head)
                }
            })
    }

    private func notUpgrading(
        _ channel: any Channel, isSecure: Bool, _ logger: Logger
    ) -> EventLoopFuture<Kind> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: isSecure))
            try pipeline.addHandler(
                HTTPConnectionStateHandler(idleTimeout: limits.idleTime, logger: logger))
            return .http(
                try NIOAsyncChannel(
                    wrappingChannelSynchronously: channel,
                    configuration: .init(isOutboundHalfClosureEnabled: true)))
        }
    }

    /// Serves a connection until it ends.
    package func handle(value: Value, logger: Logger) async {
        do {
            let kind = try await withTaskCancellationHandler {
                try await value.kind.get()
            } onCancel: {
                value.channel.close(promise: nil)
            }
            switch kind {
            case .http(let channel):
                await handleHTTP(asyncChannel: channel, logger: logger)
            case .webSocket(let channel, let head):
                try await WebSocketConnection.serve(
                    channel, head, limits: limits.webSocket, activity: value.activity, handler)
            }
        } catch {
            logger.trace("a connection has ended: \(error)")
        }
    }
}

/// When a client has last sent something.
final class WebSocketActivity: Sendable {
    private let latest = Mutex(ContinuousClock.now)

    /// When it has, be it a part of a message.
    var last: ContinuousClock.Instant { latest.withLock(\.self) }

    func note() { latest.withLock { $0 = .now } }
}

/// Disconnects a client that reads nothing for too long, and notes when it sends something.
private final class StallHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let limit: TimeAmount
    private let activity: WebSocketActivity
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount, noting activity: WebSocketActivity) {
        self.limit = limit
        self.activity = activity
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        activity.note()
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        if !context.channel.isWritable {
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
    }
}

/// Hides from the first request of a connection that it asks for another protocol, unless it may
/// have it. It is then answered as HTTP, and the connection ends.
///
/// So does a connection with a request of HTTP/1.0, and with one that a proxy has passed on. Proxies may send any request on
/// any connection that they keep, but only the first one of a connection can become a WebSocket.
private final class UpgradeFilter: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let accepts: WebSocketServerChannel.Acceptance
    private var isFirst = true
    private var isUpgrading = false

    init(accepts: @escaping WebSocketServerChannel.Acceptance) {
        self.accepts = accepts
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // After a request that becomes a WebSocket there are no requests.
        guard !isUpgrading, case .head(var head) = unwrapInboundIn(data) else {
            return context.fireChannelRead(data)
        }
        // Without it some clients wait for a second before they send a body.
        if head.version == .http1_1, head.headers["Expect"].first?.lowercased() == "100-continue" {
            context.writeAndFlush(
                wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
        }
        let asks = isFirst && head.headers.contains(name: "Upgrade")
        isFirst = false
        if asks, isWebSocket(head), accepts(head, context.channel.remoteAddress) {
            isUpgrading = true
            return context.fireChannelRead(data)
        }
        if asks { head.headers.remove(name: "Upgrade") }
        if asks || !head.isKeepAlive
            || head.headers.contains(where: { ProxyHeader.isOne($0.name) })
        {
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Whether a request has all that a WebSocket needs.
    private func isWebSocket(_ head: HTTPRequestHead) -> Bool {
        let headers = head.headers
        return head.method == .GET
            && headers[canonicalForm: "Upgrade"].map { $0.lowercased() } == ["websocket"]
            && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
            && headers["Sec-WebSocket-Version"] == ["13"]
            && headers["Sec-WebSocket-Key"].count == 1
            && !headers.contains(name: "Content-Length")
            && !headers.contains(name: "Transfer-Encoding")
    }
}

/// The headers that proxies add to requests.
package enum ProxyHeader {
    /// Whether a header tells that a proxy has passed the request on.
    package static func isOne(_ name: String) -> Bool {
        let name = name.lowercased()
        return name == "forwarded" || name.hasPrefix("x-forwarded-") || name == "x-real-ip"
            || name == "via"
    }
}

/// Ends a connection after a request that can't be parsed, which has been answered before.
private final class InvalidRequestHandler: ChannelInboundHandler {
    typealias InboundIn = Never

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is HTTPParserError {
            context.close(promise: nil)
        } else {
            context.fireErrorCaught(error)
        }
    }
}
