extension Duration: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a duration such as 30, 30s, 5m or 1h30m" }

    /// Reads seconds, or numbers with the units `ms`, `s`, `m`, `h` and `d`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Duration? {
        guard case .scalar(let scalar) = node.kind, !node.isNull,
            let value = Duration(spelling: scalar.value)
        else { return decoder.mismatch(node, expected: shape) }
        return value
    }

    private static let longest = 366.0 * 24 * 3600 * 100

    /// Parses `30`, `2.5`, `250ms`, `30s`, `1h30m`; `nil` for anything else and beyond 100 years.
    package init?(spelling: String) {
        guard let seconds = Double(spelling) ?? Self.seconds(spelling[...]),
            (0...Self.longest).contains(seconds)
        else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Returns the sum of numbers that each have a unit.
    private static func seconds(_ spelling: Substring) -> Double? {
        var rest = spelling
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count)
            let unit = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let value = Double(number), let factor = secondsPerUnit[String(unit)]
            else { return nil }
            total += value * factor
        }
        return total
    }

    private static let secondsPerUnit: [String: Double] = [
        "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400,
    ]
}

/// A number of bytes, written as `512`, `64KiB`, `10MB` or `1GiB`.
public struct ByteCount: SettingValue, Hashable {
    /// The number of bytes.
    public let bytes: Int

    /// Creates a size from a number of bytes.
    public init(_ bytes: Int) {
        self.bytes = bytes
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "a size in bytes such as 65536, 64KiB or 10MB" }

    /// Reads a number with an optional unit, decimal (`kB`, `MB`, `GB`) or binary (`KiB`, `MiB`,
    /// `GiB`).
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ByteCount? {
        guard case .scalar(let scalar) = node.kind, !node.isNull,
            let value = ByteCount(spelling: scalar.value)
        else { return decoder.mismatch(node, expected: shape) }
        return value
    }

    /// Parses a size; `nil` if it is malformed or too large.
    package init?(spelling: String) {
        let digits = spelling.prefix { $0.isASCII && $0.isNumber }
        let unit = spelling.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let count = Int(digits), let factor = Self.bytesPerUnit[unit] else { return nil }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    private static let bytesPerUnit: [String: Int] = [
        "": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000,
        "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
    ]
}
