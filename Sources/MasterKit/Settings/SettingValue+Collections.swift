extension Array: SettingValue where Element: SettingValue {
    /// A list.
    public static var shape: String { "a list" }

    /// Reads a list, each item for itself; a lone value is no list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> [Element]? {
        guard case .sequence(let items) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        let values = items.map { decoder.decode(Element.self, from: $0) }
        let present = values.compactMap(\.self)
        return present.count == values.count ? present : nil
    }
}

extension ExactDictionary: SettingValue where Value: SettingValue {
    /// A mapping.
    public static var shape: String { "a mapping" }

    /// Reads a mapping, each value for itself, in the order of the file.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ExactDictionary<Value>? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        var result = ExactDictionary<Value>()
        var isRight = true
        for entry in mapping.entries {
            let key = decoder.decode(String.self, from: entry.key)
            let value = decoder.decode(Value.self, from: entry.value)
            guard let key, let value else {
                isRight = false
                continue
            }
            if result.updateValue(value, forKey: key) != nil {
                isRight = false
                decoder.reportDoubledKey(key, at: entry.key.range)
            }
        }
        return isRight ? result : nil
    }
}

extension SettingDecoder {
    /// Reports a key that is the same text as another one, as `true` and `True` are.
    func reportDoubledKey(_ key: String, at range: SourceRange?) {
        error("\(subject) has the key '\(key.shortened)' twice; keep one", at: range)
    }
}

extension JSONValue: SettingValue {
    /// Any value.
    public static var shape: String { "any value" }

    /// Reads any value; a number keeps its spelling.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> JSONValue? {
        if case .scalar(let scalar) = node.kind {
            if case .string = node.resolved {
                decoder.warnOfLiteralExpressions(in: node, text: scalar.value)
            }
            return decoder.checked(JSONValue(scalar, as: node.resolved), at: node.contentRange)
        }
        return decoder.descending(into: node) {
            if case .sequence = node.kind {
                return [JSONValue].decode(node, with: decoder).map { .array($0) }
            }
            return ExactDictionary<JSONValue>.decode(node, with: decoder).map {
                .object(JSONObject($0))
            }
        }
    }

    init(_ scalar: YAMLScalar, as resolved: YAMLScalar.Resolved?) {
        switch resolved {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int, .float:
            self = JSONNumber(spelling: scalar.value).map { .number($0) } ?? .string(scalar.value)
        case .string, nil: self = .string(scalar.value)
        }
    }
}

extension JSONObject: SettingValue {
    /// A mapping.
    public static var shape: String { "a mapping" }

    /// Reads a mapping of any values.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> JSONObject? {
        guard case .mapping = node.kind else { return decoder.mismatch(node, expected: shape) }
        return JSONValue.decode(node, with: decoder)?.objectValue
    }
}

extension SettingDecoder {
    /// Returns a value unless it is a number that JSON cannot express; warns of one that JSON
    /// writes otherwise than the file.
    fileprivate func checked(_ value: JSONValue, at range: SourceRange?) -> JSONValue? {
        guard case .number(let number) = value else { return value }
        let spelling = number.spelling
        guard let json = number.jsonSpelling else {
            return error(
                "\(subject) has the number \(spelling), which JSON cannot express; put quotes around "
                    + "it to send it as text", at: range, fix: "\"\(spelling)\"")
        }
        if json != spelling {
            warning(
                "the number \(spelling.shortened) is sent as \(json.shortened) in JSON; put quotes "
                    + "around it to keep it as it is", at: range, fix: "\"\(spelling)\"")
        }
        return value
    }
}
