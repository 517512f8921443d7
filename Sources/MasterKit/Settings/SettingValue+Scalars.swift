extension String: SettingValue {
    /// A text.
    public static var shape: String { "a text" }

    /// Reads any scalar but null; a number keeps its spelling.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> String? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if case .bool(let value) = node.resolved { return value ? "true" : "false" }
        decoder.warnOfLiteralExpressions(in: node, text: scalar.value)
        return scalar.value
    }
}

extension Bool: SettingValue {
    /// True or false.
    public static var shape: String { "true or false" }

    /// Reads a boolean of YAML 1.2.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Bool? {
        guard case .scalar(let scalar) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        if case .bool(let value) = node.resolved { return value }
        let meant: [String: Bool] = ["yes": true, "on": true, "no": false, "off": false]
        if let value = meant[scalar.value.lowercased()] {
            return decoder.error(
                "\(decoder.subject) must be \(shape); '\(scalar.value)' is a text in YAML 1.2, "
                    + "write \(value)", at: node.range, fix: "\(value)")
        }
        return decoder.mismatch(node, expected: shape)
    }
}

extension Int: SettingValue {
    /// A whole number.
    public static var shape: String { "a whole number" }

    /// Reads a whole number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Int? {
        guard case .int(let value) = node.resolved else {
            return decoder.mismatch(node, expected: shape)
        }
        return value
    }
}

extension Double: SettingValue {
    /// A number.
    public static var shape: String { "a number" }

    /// Reads a finite number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Double? {
        switch node.resolved {
        case .int(let value): return Double(value)
        case .float(let value) where value.isFinite: return value
        default: return decoder.mismatch(node, expected: shape)
        }
    }
}

/// A type that tells a number or truth value from a text that looks like one.
///
/// All variables of the environment are texts; for these types `!Env` reads them as if written in
/// the file.
protocol TypedScalar {}

extension Bool: TypedScalar {}
extension Double: TypedScalar {}
extension Int: TypedScalar {}
extension Optional: TypedScalar where Wrapped: TypedScalar {}
