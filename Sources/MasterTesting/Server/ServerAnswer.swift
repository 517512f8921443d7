import Glibc

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
