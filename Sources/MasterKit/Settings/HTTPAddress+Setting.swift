public import MasterHTTP

extension HTTPAddress: SettingValue {
    /// An absolute URL.
    public static var shape: String { "an address such as \(example)" }

    /// Reads an absolute URL that begins with `http://` or `https://`.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> HTTPAddress? {
        if case .sequence = node.kind {
            return decoder.error(
                "\(decoder.subject) takes one address, not a list; write one entry for each "
                    + "address", at: node.range)
        }
        guard let text = String.decode(node, with: decoder) else { return nil }
        do {
            return try HTTPAddress(text)
        } catch {
            return decoder.error("\(decoder.subject) \(error.reason)", at: node.range)
        }
    }
}
