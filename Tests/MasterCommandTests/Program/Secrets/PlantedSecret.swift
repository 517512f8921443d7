import FoundationEssentials
import Testing

/// A secret for tests, with all forms in which part of it could leak.
struct PlantedSecret: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let value: String

    /// The values that are hardest to hide.
    static let all = [
        PlantedSecret(testDescription: "plain", value: "hunter2-Plain_Token.7"),
        PlantedSecret(testDescription: "punctuation", value: #"p&<w>z"o'r\d%41/+=? ;x~(y)*!$z"#),
        PlantedSecret(testDescription: "unicode", value: "geheim größe 😀 ñandú"),
        PlantedSecret(testDescription: "short lines", value: "qz17x\nwv28y\nkj39z"),
        PlantedSecret(
            testDescription: "PEM",
            value: """
                -----BEGIN PRIVATE KEY-----
                uCRNAomB1pOve0Vq+O+kytY9KC4Z/xSULCRuUNk1HSJwSoAqccNYC2Nw3kzrKTwy
                SoQjNCVX1OXDhDjw42kQ7ntUtmg2wfvdE9JEHZ4UNNxiymd/to9f5mpGS6rezb0A
                V2+Na1rDvMgIRLfVCxzGYDREu+fPz4/Aqh7jxjbZ4zn6uA==
                -----END PRIVATE KEY-----
                """),
    ]

    /// Whether the value is allowed in a header.
    var isOneLine: Bool { !value.contains("\n") }

    /// Whether the value is allowed unencoded in a URL.
    var isWord: Bool {
        value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    }

    /// The parts that are secret themselves, unlike the delimiters of a PEM file.
    private var parts: [String] {
        value.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-----") }
    }

    /// The byte sequences that must not be found anywhere.
    var needles: [[UInt8]] {
        let whole = Array(value.utf8)
        return parts.flatMap(Self.forms)
            + Self.base64(of: whole, before: 0).map { form in
                value.hasPrefix("-----") ? Array(form.dropFirst(48).dropLast(48)) : form
            }
    }

    private static func forms(of text: String) -> [[UInt8]] {
        let bytes = Array(text.utf8)
        let escapes: [[(String, String)]] = [
            [("\\", "\\\\"), ("\"", "\\\"")], [("\\", "\\\\"), ("\"", "\\\""), ("/", "\\/")],
            [("\\", "\\\\"), ("'", "\\'")], [("'", "'\\''")], [("'", "'\"'\"'")],
            [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")],
            [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&#34;"), ("'", "&#x27;")],
        ]
        let escaped = escapes.map { pairs in
            Array(pairs.reduce(text) { $0.replacing($1.0, with: $1.1) }.utf8)
        }
        let hexadecimal = bytes.map(digits).joined()
        var forms = escaped + percentEncoded(bytes)
        forms += [bytes, Array(hexadecimal.utf8), Array(hexadecimal.uppercased().utf8)]
        for count in 0..<3 { forms += base64(of: bytes, before: count) }
        return forms
    }

    private static func digits(of byte: UInt8) -> String {
        String(String(Int(byte) + 256, radix: 16).suffix(2))
    }

    private static func percentEncoded(_ bytes: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = []
        for space in ["%20", "+"] {
            let lower = bytes.map { percentEncoded($0, space) }
            let upper = lower.map { $0.count == 3 ? $0.uppercased() : $0 }
            forms += [Array(lower.joined().utf8), Array(upper.joined().utf8)]
        }
        return forms
    }

    private static func percentEncoded(_ byte: UInt8, _ space: String) -> String {
        let character = Character(Unicode.Scalar(byte))
        let isWord = character.isLetter || character.isNumber || "-._~".contains(character)
        if byte < 0x80, isWord { return String(character) }
        return byte == 0x20 ? space : "%" + digits(of: byte)
    }

    /// The Base64 characters that depend only on the bytes, if preceded by a number of other bytes.
    private static func base64(of bytes: [UInt8], before count: Int) -> [[UInt8]] {
        let padded = Data([UInt8](repeating: 0x75, count: count) + bytes).base64EncodedString()
        let core = padded.prefix((count + bytes.count) * 8 / 6).dropFirst((count * 8 + 5) / 6)
        let urlSafe = core.replacing("+", with: "-").replacing("/", with: "_")
        return [Array(core.utf8), Array(urlSafe.utf8)]
    }
}
