internal import NIOCore

/// Answers clients that speak HTTP where TLS is expected, instead of hanging up without a word.
final class PlainTextHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let message =
        "this port takes TLS only; write 'https://' or 'wss://' in the address\n"

    private static let answer = """
        HTTP/1.1 400 Bad Request\r
        Content-Type: text/plain; charset=utf-8\r
        Content-Length: \(message.utf8.count)\r
        Connection: close\r
        \r
        \(message)
        """

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // A request begins with the letter of a method, a handshake with another byte.
        let first = unwrapInboundIn(data).readableBytesView.first ?? 0
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.answer)), promise: nil)
        context.close(promise: nil)
    }
}
