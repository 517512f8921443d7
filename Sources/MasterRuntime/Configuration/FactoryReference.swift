internal import MasterKit

/// `factory` of a builder: a name, or a name with parameters.
struct FactoryReference: SettingValue {
    /// A value for a parameter.
    struct Argument {
        let name: String
        let value: JSONValue
        let nameRange: SourceRange?
        let valueRange: SourceRange?
    }

    let name: String
    let arguments: [Argument]
    let range: SourceRange?

    static var shape: String { "the name of a factory, or {NAME: {parameter: value}}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> FactoryReference? {
        if let name = node.scalarText, !node.isNull {
            return FactoryReference(name: name, arguments: [], range: node.range)
        }
        guard case .mapping(let mapping) = node.kind, mapping.entries.count == 1,
            let entry = mapping.entries.first, let name = entry.key.scalarText
        else { return decoder.mismatch(node, expected: shape) }
        guard let arguments = arguments(of: entry.value, with: decoder) else { return nil }
        return FactoryReference(name: name, arguments: arguments, range: entry.key.range)
    }

    private static func arguments(
        of node: YAMLNode, with decoder: SettingDecoder
    ) -> [Argument]? {
        if node.isNull { return [] }
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        return mapping.entries.compactMap { entry in
            decoder.warnOfVersion(entry.value, of: entry.key)
            guard let name = decoder.decode(String.self, from: entry.key),
                let value = decoder.decode(JSONValue.self, from: entry.value)
            else { return nil }
            return Argument(
                name: name, value: value, nameRange: entry.key.range,
                valueRange: entry.value.range)
        }
    }
}
