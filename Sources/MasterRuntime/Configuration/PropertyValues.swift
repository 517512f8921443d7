internal import MasterKit

/// `properties`: values by name.
struct PropertyValues: SettingValue {
    var values = JSONObject()

    static var shape: String { "a mapping of names to values" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyValues? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        for entry in mapping.entries { check(entry, with: decoder) }
        return decoder.decode(JSONObject.self, from: node).map { PropertyValues(values: $0) }
    }

    private static func check(_ entry: YAMLMapping.Entry, with decoder: SettingDecoder) {
        let name = entry.key.scalarText ?? ""
        if name.isEmpty || name.count > Properties.maximumNameLength {
            decoder.error(
                "the name of a property has 1 to \(Properties.maximumNameLength) characters",
                at: entry.key.range)
        }
        guard case .scalar(let scalar) = entry.value.kind, case .float = scalar.resolved,
            scalar.value.contains("."), scalar.value.hasSuffix("0")
        else { return }
        decoder.warning(
            "\(name): \(scalar.value) is a number; if it is a version, write '\(scalar.value)' in "
                + "quotes", at: entry.value.range, fix: "\"\(scalar.value)\"")
    }
}
