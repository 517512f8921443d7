/// What a `LoopbackServer` does with a request; most of it is what a good server never does.
public indirect enum ServerAnswer: Sendable {
    /// A whole answer with its `Content-Length`; the connection stays open.
    case respond(status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [])
    /// A whole answer in chunks.
    case chunked(status: Int = 200, headers: [(String, String)] = [], chunks: [[UInt8]])
    /// Nothing, until the client goes or the server ends.
    case hang
    /// The connection ends before a byte was sent.
    case closeBeforeAnswer
    /// An answer that announces all of the body, sends so many bytes of it, and ends.
    case closeHalfway(
        status: Int = 200,
        headers: [(String, String)] = [],
        body: [UInt8],
        after: Int
    )
    /// The connection is torn down with RST.
    case reset
    /// These bytes and no others; then the connection ends.
    case raw([UInt8])
    /// These pieces, each sent when the gate lets one through; then the connection ends.
    case trickle([[UInt8]], ServerGate)
    /// The first bytes once, then the others again and again until the client goes.
    case endless(head: [UInt8], repeating: [UInt8])
    /// The answer, once the gate lets one through.
    case afterSignal(ServerGate, ServerAnswer)
    /// The answer; then, once the gate lets one through, bytes that nobody asked for, and with
    /// none the end of the connection. `ServerGate.done` tells when they were sent.
    case followed(ServerAnswer, by: [UInt8], ServerGate)

    /// A whole answer with a text as its body.
    public static func text(
        _ text: String,
        status: Int = 200,
        headers: [(String, String)] = []
    ) -> ServerAnswer {
        .respond(status: status, headers: headers, body: Array(text.utf8))
    }

    /// An answer that points elsewhere.
    public static func redirect(_ status: Int = 302, to location: String) -> ServerAnswer {
        .respond(status: status, headers: [("Location", location)])
    }
}
