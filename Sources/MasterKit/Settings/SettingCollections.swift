extension Array: SettingValue where Element: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a list" }

    /// Reads a list, item by item; a single value is not accepted as a list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> [Element]? {
        guard case .sequence(let items) = node.kind else {
            guard let word = node.scalarText, node.isWord else {
                return decoder.mismatch(node, expected: shape)
            }
            return decoder.error(
                "\(decoder.subject) must be \(shape), not '\(word)'; write [\(word)]",
                at: node.range, fix: "[\(word)]")
        }
        let values = items.map { decoder.decode(Element.self, from: $0) }
        // A key path on a generic type would be created anew for each call.
        let present = values.compactMap { $0 }
        return present.count == values.count ? present : nil
    }
}

extension ExactDictionary: SettingValue where Value: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a mapping" }

    /// Reads a mapping, value by value, in the order of the file.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ExactDictionary<Value>? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var result = ExactDictionary<Value>()
        var isValid = true
        for entry in mapping.entries {
            let key = decoder.decode(String.self, from: entry.key)
            let value = decoder.decode(Value.self, from: entry.value)
            guard let key, let value else {
                isValid = false
                continue
            }
            if result.updateValue(value, forKey: key) != nil {
                isValid = false
                decoder.reportDuplicateKey(key, at: entry.key.range)
            }
        }
        return isValid ? result : nil
    }
}

extension Dictionary: SettingValue where Key == String, Value: SettingValue {
    /// A description of the accepted values, for error messages.
    public static var shape: String { "a mapping" }

    /// Reads a mapping, value by value; use ``ExactDictionary`` to keep the order of the file.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> [String: Value]? {
        guard let exact = ExactDictionary<Value>.decode(node, with: decoder) else { return nil }
        var result: [String: Value] = [:]
        for (key, value) in exact {
            // Two spellings of the same characters are one key of a dictionary.
            guard result.updateValue(value, forKey: key) == nil else {
                decoder.reportDuplicateKey(key, at: node.range)
                return nil
            }
        }
        return result
    }
}

extension SettingValue where Self: Settings {
    /// A description of the accepted values, for error messages.
    public static var shape: String {
        let names = declarations.map(\.name).joined(separator: ", ")
        let primary = declarations.first(where: \.isPrimary)
        return (primary.map { "\($0.shape), or " } ?? "") + "a mapping {\(names)}"
    }

    /// Reads the settings from a mapping, or from a single value for the primary one, and checks
    /// them.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        decoder.read(Self.self, from: node, owner: decoder.subject, at: node.range)
    }
}

extension SettingDecoder {
    /// Reports a duplicate key, including keys with the same text, such as `true` and `True`.
    func reportDuplicateKey(_ key: String, at range: SourceRange?) {
        error("\(subject) has the key '\(key.shortened)' twice; keep one", at: range)
    }
}
