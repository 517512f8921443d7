/// The bytes of a secret as they are gathered, up to a limit, and as a text.
struct SecretText {
    /// The most bytes that a secret may have.
    static let limit = 64 << 10

    private(set) var bytes: [UInt8] = []

    /// Adds bytes.
    ///
    /// - Throws: When there are too many.
    mutating func append(_ more: [UInt8], from source: String) throws(SecretFault) {
        bytes += more
        guard bytes.count <= Self.limit else {
            throw SecretFault(
                "\(source) gives more than \(Self.limit >> 10) KiB, which is too much for a secret")
        }
    }

    /// The text, with or without the newlines at its end.
    ///
    /// - Throws: When the bytes are no text.
    func text(from source: String, strippingNewlines strips: Bool) throws(SecretFault) -> String {
        let newlines: [UInt8] = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
        let end = strips ? bytes.lastIndex { !newlines.contains($0) }.map { $0 + 1 } ?? 0 : nil
        guard let text = String(validating: bytes[..<(end ?? bytes.count)], as: UTF8.self),
            !text.utf8.contains(0)
        else {
            throw SecretFault(
                "what \(source) gives is no text in UTF-8; put it there in base64, for example")
        }
        return text
    }
}
