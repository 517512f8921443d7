public import MasterHTTP

extension HTTPAddress: SettingValue {
    /// An absolute URL.
    public static var shape: String { "an address such as \(example)" }

    /// Reads an absolute URL that begins with `http://` or `https://`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAddress? {
        guard let text = String.decode(node, with: decoder) else { return nil }
        do {
            return try HTTPAddress(text)
        } catch {
            return decoder.error("\(decoder.subject) \(error.reason)", at: node.range)
        }
    }
}
