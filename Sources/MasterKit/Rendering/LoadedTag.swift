/// The tags whose value is read once, when the file is loaded, and then stands in their place.
enum LoadedTag: String, CaseIterable {
    case env = "Env"
    case file = "File"

    /// The tag of a node, when it is one of these.
    init?(of node: YAMLNode) {
        guard let name = node.expressionName else { return nil }
        self.init(rawValue: name)
    }

    /// What stands in place of a node with this tag; what is wrong with it goes to the decoder.
    ///
    /// - Parameters:
    ///   - node: The node.
    ///   - decoder: Knows the environment and the folder of the file.
    ///   - isTyped: Whether the text is read as if it stood in the file without quotes.
    /// - Returns: The node, or `nil` when something is wrong.
    func value(
        of node: YAMLNode, with decoder: SettingDecoder, isTyped: Bool = false
    ) -> YAMLNode? {
        let style: YAMLScalar.Style = isTyped ? .plain : .doubleQuoted
        return switch self {
        case .env: EnvironmentVariable(node, with: decoder)?.value(with: decoder, style: style)
        case .file: FileText(node, with: decoder)?.value(with: decoder, style: style)
        }
    }
}
