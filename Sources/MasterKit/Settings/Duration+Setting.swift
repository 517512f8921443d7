extension Duration: SettingValue {
    /// A duration.
    public static var shape: String { "a duration such as 30, 30s, 5m or 1h30m" }

    /// Reads seconds, or numbers with the units `ms`, `s`, `m`, `h` and `d`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Duration? {
        guard case .scalar(let scalar) = node.kind, !node.isNull,
            let value = Duration(spelling: scalar.value)
        else { return decoder.mismatch(node, expected: shape) }
        return value
    }

    private static let longest = 366.0 * 24 * 3600 * 100

    /// Reads `30`, `2.5`, `250ms`, `30s`, `1h30m`; `nil` for anything else and beyond 100 years.
    public init?(spelling: String) {
        guard let seconds = Double(spelling) ?? Self.seconds(spelling[...]),
            (0...Self.longest).contains(seconds)
        else { return nil }
        self = .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Adds up numbers that each have a unit.
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
