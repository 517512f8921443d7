/// How writers escape a text inside JSON, HTML, a shell's line or Python's source.
enum TextEscapes {
    /// A text inside JSON, in the ways of several writers, and inside JSON that is inside JSON.
    ///
    /// In bytes: a mark that combines with the quote before it would be one character with it.
    static func json(_ text: String) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        for writer in [JSONWriter.compact, .python] {
            let escaped = json(Array(text.utf8), writtenBy: writer)
            let variants = [
                escaped, escaped.replacing("/".utf8, with: "\\/".utf8), numbering("&<>", escaped),
                numbering("\"&'+<>`", escaped), json(escaped, writtenBy: writer),
            ]
            for variant in variants { forms.formUnion([variant, capitalizing(variant)]) }
        }
        return forms
    }

    /// A text inside JSON, in the way of one writer.
    static func json(_ bytes: [UInt8], writtenBy writer: JSONWriter) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        return Array(writer.bytes(.string(text)).dropFirst().dropLast())
    }

    /// Writes some characters as `\u00xx`.
    private static func numbering(_ characters: String, _ json: [UInt8]) -> [UInt8] {
        characters.utf8.reduce(json) { json, byte in
            let escape = Array("\\u00".utf8) + ByteEncodings.digits(of: byte)
            let plain = byte == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), byte] : [byte]
            return json.replacing(plain, with: escape)
        }
    }

    /// Writes the digits of `\uxxxx` as capital letters.
    private static func capitalizing(_ json: [UInt8]) -> [UInt8] {
        var (json, index) = (json, 0)
        while index + 1 < json.count {
            guard json[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            if json[index + 1] == UInt8(ascii: "u") {
                for digit in (index + 2..<index + 6).clamped(to: json.indices)
                where json[digit] >= UInt8(ascii: "a") {
                    json[digit] -= 32
                }
            }
            index += 2
        }
        return json
    }

    /// A text inside HTML or XML, whichever quotes are escaped in whichever way, also in JSON.
    static func html(_ bytes: [UInt8]) -> Set<[UInt8]> {
        guard bytes.contains(where: "&<>\"'".utf8.contains) else { return [] }
        let escaped = bytes.replacing("&".utf8, with: "&amp;".utf8)
            .replacing("<".utf8, with: "&lt;".utf8).replacing(">".utf8, with: "&gt;".utf8)
        var forms: Set<[UInt8]> = []
        for quote in ["\"", "&quot;", "&#34;"] {
            for apostrophe in ["'", "&#39;", "&#x27;", "&apos;"] {
                let form = escaped.replacing("\"".utf8, with: quote.utf8)
                    .replacing("'".utf8, with: apostrophe.utf8)
                forms.formUnion([form, json(form, writtenBy: .compact)])
            }
        }
        return forms
    }

    /// A text between single quotes of a shell's line, and with backslashes instead of quotes.
    static func shell(_ bytes: [UInt8]) -> Set<[UInt8]> {
        guard !bytes.allSatisfy({ isPlainInShell($0) || "/:@%+=~".utf8.contains($0) })
        else { return [] }
        return [
            backslashed(bytes, but: "/:@%+=~"), backslashed(bytes, but: "/:@%+=~,"),
            bytes.replacing("'".utf8, with: #"'\''"#.utf8),
            bytes.replacing("'".utf8, with: #"'"'"'"#.utf8),
        ]
    }

    private static func backslashed(_ bytes: [UInt8], but kept: String) -> [UInt8] {
        var form: [UInt8] = []
        for byte in bytes {
            let isPlain = isPlainInShell(byte) || kept.utf8.contains(byte)
            if !isPlain { form.append(UInt8(ascii: "\\")) }
            form.append(byte)
        }
        return form
    }

    private static func isPlainInShell(_ byte: UInt8) -> Bool {
        ByteEncodings.isUnreserved(byte) || byte >= 0x80
    }

    /// A text as Python's `repr` shows it.
    static func python(_ bytes: [UInt8]) -> Set<[UInt8]> {
        guard bytes.contains(where: { "\\'".utf8.contains($0) || $0 < 0x20 }) else { return [] }
        let escaped = bytes.replacing("\\".utf8, with: "\\\\".utf8)
            .replacing("\n".utf8, with: "\\n".utf8).replacing("\r".utf8, with: "\\r".utf8)
            .replacing("\t".utf8, with: "\\t".utf8)
        return [escaped, escaped.replacing("'".utf8, with: "\\'".utf8)]
    }
}
