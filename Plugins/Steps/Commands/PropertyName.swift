import MasterKit

/// The setting `property`: the name of a property to be set.
struct PropertyName: SettingValue {
    let text: String

    static var shape: String { "the name of a property" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyName? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty, text.count <= Properties.maximumNameLength else {
            return decoder.error(
                "\(decoder.subject) must have 1 to \(Properties.maximumNameLength) characters",
                at: node.range)
        }
        return PropertyName(text: text)
    }
}
