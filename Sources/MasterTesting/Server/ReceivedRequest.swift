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
