import Crypto
import FoundationEssentials
import MasterKit

/// The setting `signing`: the keys that sign a request.
///
/// During key rotation there are two keys, as receivers accept either signature.
struct WebhookSigning: SettingValue {
    let keys: [WebhookKey]

    static var shape: String { "a key that begins with whsec_ or whsk_, or a list of such keys" }

    static var form: ValueForm { .either([.text, .list(of: .text)]) }

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
    ///   - body: The bytes to send.
    /// - Returns: One signature per key, separated by spaces.
    /// - Throws: An error if the system has no randomness for a signature.
    func signatures(id: String, timestamp: Int, body: [UInt8]) throws -> String {
        let content = Array("\(id).\(timestamp).".utf8) + body
        return try keys.map { try $0.signature(of: content) }.joined(separator: " ")
    }
}

/// A key that signs requests according to the Standard Webhooks specification.
struct WebhookKey: SettingValue {
    private enum Algorithm: Sendable {
        /// HMAC-SHA256, signature identifier `v1`.
        case shared(SymmetricKey)
        /// Ed25519, signature identifier `v1a`.
        case pair(Curve25519.Signing.PrivateKey)
    }

    private let algorithm: Algorithm

    /// The allowed lengths of a shared key, in bytes.
    private static let sharedLengths = 24...64

    static var shape: String { "a key that begins with whsec_ or whsk_" }

    static var form: ValueForm { .text }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> WebhookKey? {
        guard !node.isNull, let text = node.scalarText else {
            return decoder.mismatch(node, expected: shape)
        }
        do {
            return WebhookKey(algorithm: try algorithm(of: text))
        } catch {
            return decoder.error("\(decoder.subject) \(error.message)", at: node.range)
        }
    }

    /// Signs the content and returns the signature after the identifier of its algorithm.
    ///
    /// - Throws: An error if the system has no randomness for the signature.
    func signature(of content: [UInt8]) throws -> String {
        switch algorithm {
        case .shared(let key):
            let code = HMAC<SHA256>.authenticationCode(for: content, using: key)
            return "v1,\(Data(code).base64EncodedString())"
        case .pair(let key):
            return "v1a,\(try key.signature(for: content).base64EncodedString())"
        }
    }

    /// Why a text is not a valid key; never shows any of it.
    private struct Fault: Error {
        let message: String
    }

    private static func algorithm(of text: String) throws(Fault) -> Algorithm {
        if text.hasPrefix("whpk_") {
            throw Fault(
                message: "is a public key, which only verifies; sign with the secret key, "
                    + "which begins with whsk_")
        }
        if text.hasPrefix("whsec_") { return .shared(try shared(bytes(of: text.dropFirst(6)))) }
        if text.hasPrefix("whsk_") { return .pair(try pair(bytes(of: text.dropFirst(5)))) }
        throw Fault(
            message: "must begin with whsec_ for HMAC-SHA256 or with whsk_ for ed25519; make one "
                + "with: echo whsec_$(openssl rand -base64 32)")
    }

    /// Decodes Base64, with or without padding.
    private static func bytes(of text: Substring) throws(Fault) -> Data {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard let bytes = Data(base64Encoded: text + padding) else {
            throw Fault(message: "is not valid base64 after its prefix")
        }
        return bytes
    }

    private static func shared(_ bytes: Data) throws(Fault) -> SymmetricKey {
        guard sharedLengths.contains(bytes.count) else {
            throw Fault(
                message: "has \(bytes.count) bytes; a key that begins with whsec_ has "
                    + "\(sharedLengths.lowerBound) to \(sharedLengths.upperBound)")
        }
        return SymmetricKey(data: bytes)
    }

    /// Parses a 32-byte secret key, optionally followed by the public key.
    private static func pair(_ bytes: Data) throws(Fault) -> Curve25519.Signing.PrivateKey {
        guard [32, 64].contains(bytes.count) else {
            throw Fault(
                message: "has \(bytes.count) bytes; a key that begins with whsk_ has 32, or 64 "
                    + "including the public key")
        }
        let key: Curve25519.Signing.PrivateKey
        do {
            key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes.prefix(32))
        } catch {
            throw Fault(message: "is not an ed25519 key: \(error)")
        }
        guard bytes.count == 32 || key.publicKey.rawRepresentation == bytes.suffix(32) else {
            throw Fault(message: "includes a public key that does not belong to it")
        }
        return key
    }
}
