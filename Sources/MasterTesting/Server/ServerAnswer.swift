import Glibc

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
        status: Int = 200, headers: [(String, String)] = [], body: [UInt8], after: Int)
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
        _ text: String, status: Int = 200, headers: [(String, String)] = []
    ) -> ServerAnswer {
        .respond(status: status, headers: headers, body: Array(text.utf8))
    }

    /// An answer that points elsewhere.
    public static func redirect(_ status: Int = 302, to location: String) -> ServerAnswer {
        .respond(status: status, headers: [("Location", location)])
    }
}

/// A `LoopbackServer` could not be started.
public struct ServerFault: Error, CustomStringConvertible {
    /// Which call failed, and why.
    public let description: String

    /// Takes the reason from `errno`.
    init(_ call: String) {
        self.init(call, code: errno)
    }

    /// Takes the reason from a number that a call returned.
    init(_ call: String, code: Int32) {
        description = unsafe "\(call): \(String(cString: strerror(code)))"
    }
}

/// A request as a `LoopbackServer` received it.
public struct ReceivedRequest: Sendable, Hashable {
    /// The method, as sent.
    public let method: String
    /// What is asked for: a path with its query, or a whole address when the server is a proxy.
    public let target: String
    /// The header lines as they came, in their order.
    public let headerLines: [String]
    /// The body.
    public let body: [UInt8]
    /// The connection it came on, counted from 1.
    public let connection: Int

    /// The first value of a header, its name compared without regard to case.
    public func header(_ name: String) -> String? {
        values(of: name).first
    }

    /// All values of a header, in their order.
    public func values(of name: String) -> [String] {
        headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The headers as names and values, in their order.
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
