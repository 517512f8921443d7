/// Some status codes of HTTP: one, a range, or a list of these.
public struct StatusSet: SettingValue, Hashable, CustomStringConvertible {
    /// The codes, as they were written.
    public let ranges: [StatusRange]

    /// Makes a set of codes.
    public init(_ ranges: [StatusRange]) {
        self.ranges = ranges
    }

    /// Whether a code is one of these.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// The codes with commas between them.
    public var description: String { ranges.map(\.description).joined(separator: ", ") }

    /// Codes or ranges of codes.
    public static var shape: String {
        "a status such as 200, 2xx or 200-299, or a list of these"
    }

    /// Reads one code or range, or a list of them that is not empty.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StatusSet? {
        guard let items = node.sequence else {
            return decoder.decode(StatusRange.self, from: node).map { StatusSet([$0]) }
        }
        guard !items.isEmpty else {
            return decoder.error("\(decoder.subject) names no status", at: node.range)
        }
        return decoder.decode([StatusRange].self, from: node).map { StatusSet($0) }
    }
}
