import MasterKit

/// The setting `signing`: the keys whose signatures a request carries, one beside the other.
///
/// Two keys stand there while one takes the place of the other: a receiver is content with either.
struct WebhookSigning: SettingValue {
    let keys: [WebhookKey]

    static var shape: String { "a key that begins with whsec_ or whsk_, or a list of such keys" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> WebhookSigning? {
        guard let items = node.sequence else {
            if node.mapping != nil { return decoder.mismatch(node, expected: shape) }
            return decoder.decode(WebhookKey.self, from: node).map { WebhookSigning(keys: [$0]) }
        }
        guard !items.isEmpty else {
            return decoder.error(
                "\(decoder.subject) is empty; name a key, or leave it out", at: node.range)
        }
        return decoder.about("a key of \(decoder.subject)") {
            decoder.decode([WebhookKey].self, from: node).map { WebhookSigning(keys: $0) }
        }
    }

    /// The value of the header `webhook-signature`.
    ///
    /// - Parameters:
    ///   - id: The value of `webhook-id`.
    ///   - timestamp: The value of `webhook-timestamp`, in seconds since 1970.
    ///   - body: The bytes that are sent.
    /// - Returns: A signature of each key, with spaces between.
    /// - Throws: When the system has no randomness for a signature.
    func signatures(id: String, timestamp: Int, body: [UInt8]) throws -> String {
        let content = Array("\(id).\(timestamp).".utf8) + body
        return try keys.map { try $0.signature(of: content) }.joined(separator: " ")
    }
}
