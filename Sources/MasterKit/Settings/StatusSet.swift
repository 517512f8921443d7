/// A set of HTTP status codes: a code, a range, or a list of these.
public struct StatusSet: SettingValue, Hashable, CustomStringConvertible {
    /// The codes, as they were written.
    public let ranges: [StatusRange]

    /// Creates a set of codes.
    public init(_ ranges: [StatusRange]) {
        self.ranges = ranges
    }

    /// Whether a code is in the set.
    public func contains(_ status: Int) -> Bool { ranges.contains { $0.contains(status) } }

    /// The codes, separated by commas.
    public var description: String { ranges.map(\.description).joined(separator: ", ") }

    /// A description of the accepted values, for error messages.
    public static var shape: String {
        "a status such as 200, 2xx or 200-299, or a list of these"
    }

    /// Reads a code or range, or a non-empty list of them.
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

/// A range of HTTP status codes, written `503`, `5xx` or `500-599`.
public struct StatusRange: SettingValue, Hashable, CustomStringConvertible {
    /// The first and last code.
    public let codes: ClosedRange<Int>

    /// All codes that a server can send.
    private static let all = 100...999

    /// Creates a range of codes.
    public init(_ codes: ClosedRange<Int>) {
        self.codes = codes
    }

    /// Whether a code is in the range.
    public func contains(_ status: Int) -> Bool { codes.contains(status) }

    /// One code, or the first and last code.
    public var description: String {
        codes.count == 1 ? "\(codes.lowerBound)" : "\(codes.lowerBound)-\(codes.upperBound)"
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a status such as 200, 2xx or 200-299" }

    /// Reads a code, a class such as `5xx`, or a first and last code.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StatusRange? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        guard let (first, last) = bounds(of: scalar.value) else {
            return decoder.mismatch(node, expected: shape)
        }
        guard all.contains(first), all.contains(last) else {
            return decoder.error(
                "\(decoder.subject) has '\(scalar.value.shortened)' for a status; a status has "
                    + "three digits, from 100 on", at: node.range)
        }
        guard first <= last else {
            return decoder.error(
                "\(decoder.subject) has a range of statuses that ends before it begins; write "
                    + "\(last)-\(first)", at: node.range, fix: "\(last)-\(first)")
        }
        return StatusRange(first...last)
    }

    private static func bounds(of spelling: String) -> (Int, Int)? {
        let digits = spelling.prefix { $0.isASCII && $0.isNumber }
        guard let first = Int(digits) else { return nil }
        let rest = spelling.dropFirst(digits.count)
        if rest.isEmpty { return (first, first) }
        if digits.count == 1, rest.lowercased() == "xx" { return (first * 100, first * 100 + 99) }
        guard let dash = rest.firstIndex(of: "-"), rest[..<dash].allSatisfy({ $0 == " " })
        else { return nil }
        let end = rest[rest.index(after: dash)...].drop { $0 == " " }
        guard end.allSatisfy({ $0.isASCII && $0.isNumber }), let last = Int(end)
        else { return nil }
        return (first, last)
    }
}
