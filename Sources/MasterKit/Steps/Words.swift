/// A text, or a list of words that are joined by spaces.
public struct Words: SettingValue {
    /// The joined words.
    public let text: String

    /// Makes words of a text.
    public init(_ text: String) {
        self.text = text
    }

    /// A text or a list of words.
    public static var shape: String { "a text or a list of words" }

    /// Reads a text or a list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Words? {
        guard case .sequence = node.kind else {
            return decoder.decode(String.self, from: node).map { Words($0) }
        }
        return decoder.decode([String].self, from: node).map {
            Words($0.joined(separator: " "))
        }
    }
}
