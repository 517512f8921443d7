/// The forms in which a secret's value may appear in output.
struct SecretForms {
    /// Shorter lines of a multi-line value are not treated as secrets by themselves.
    private static let minimumLineCount = 8

    /// The contiguous forms, in UTF-8, without duplicates; empty for a blank value.
    private(set) var texts: Set<[UInt8]> = []
    /// The base64 and hexadecimal forms, which programs may break into lines.
    private(set) var breakable: Set<[UInt8]> = []

    init(of value: String) {
        let trimmed = Self.trimmed(value)
        guard !trimmed.isEmpty else { return }
        for text in Set([value, trimmed]) { add(text) }
        addLines(of: trimmed)
        for part in AddressParts(of: trimmed).secret { add(part) }
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    /// Adds a string as is, escaped and encoded.
    private mutating func add(_ text: String) {
        let bytes = Array(text.utf8)
        texts.insert(bytes)
        texts.insert(Array(text.lowercased().utf8))  // as the host of an address
        for escaped in TextEscapes.json(text).union([bytes]) {
            texts.insert(escaped)
            texts.formUnion(TextEscapes.shell(escaped))
        }
        for escaped in [bytes, ByteEncodings.filename(bytes)] + Self.json(bytes) {
            texts.formUnion(TextEscapes.html(escaped))
        }
        texts.formUnion(TextEscapes.python(bytes))
        texts.formUnion(ByteEncodings.percent(bytes))
        breakable.formUnion(ByteEncodings.hexadecimal(bytes))
        texts.insert(bytes.replacing("\n".utf8, with: "\r\n".utf8))
        addBase64(of: bytes)
    }

    private static func json(_ bytes: [UInt8]) -> [[UInt8]] {
        [JSONWriter.compact, .python].map { TextEscapes.json(bytes, writtenBy: $0) }
    }

    private mutating func addBase64(of bytes: [UInt8]) {
        let inner = [bytes, [UInt8(ascii: ":")] + bytes] + Self.json(bytes)
        for inner in inner + ByteEncodings.commonPercent(bytes) {
            for form in ByteEncodings.base64(inside: inner) {
                breakable.insert(form)
                texts.formUnion(ByteEncodings.percent(base64: form))
            }
        }
        texts.subtract(breakable)
    }

    /// Adds the longer lines of a multi-line value, except the header and footer of a PEM file.
    private mutating func addLines(of text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count > 1 else { return }
        for line in Set(lines) {
            let line = Self.trimmed(String(line))
            guard line.count >= Self.minimumLineCount, !line.hasPrefix("-----") else { continue }
            add(line)
        }
    }
}

/// The parts of a secret URL that are secret by themselves: servers show them in their responses.
private struct AddressParts {
    /// Shorter parts, such as `/status`, would match everywhere.
    private static let minimumCount = 8
    /// Path components of at least this length are treated as tokens even without a digit.
    private static let tokenCount = 16

    private(set) var secret: Set<String> = []

    init(of value: String) {
        guard let start = value.firstRange(of: "://")?.upperBound,
            !value.contains(where: \.isWhitespace)
        else { return }
        let rest = value[start...].prefix { $0 != "#" }
        let authority = rest.prefix { !"/?".contains($0) }
        let path = rest[authority.endIndex...].prefix { $0 != "?" }
        let query = rest[path.endIndex...].dropFirst()
        if let at = authority.lastIndex(of: "@") {
            add(authority[..<at])
            for part in authority[..<at].split(separator: ":") { add(part) }
        }
        add(path)
        add(path.dropFirst())
        for part in path.split(separator: "/") where Self.isToken(part) { add(part) }
        add(query)
        for field in query.split(separator: "&") {
            add(field[(field.firstIndex(of: "=") ?? field.startIndex)...].drop { $0 == "=" })
        }
        add(value[rest.endIndex...].dropFirst())
    }

    private mutating func add(_ part: Substring) {
        for text in [String(part), part.percentDecoded] where text.count >= Self.minimumCount {
            secret.insert(text)
        }
    }

    /// Whether a path component is more likely a token than a word.
    private static func isToken(_ part: Substring) -> Bool {
        part.count >= tokenCount || part.contains(where: \.isNumber)
    }
}

/// Encodings of bytes for URLs and headers.
enum ByteEncodings {
    /// Shorter base64 fragments would match everywhere.
    private static let minimumBase64Count = 4

    // MARK: URLs

    /// Returns bytes percent- and form-encoded, in the variants used by different programs.
    static func percent(_ bytes: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        for digits in [lowercaseDigits, uppercaseDigits] {
            for kept in ["~", "~/", "~!'()*", "~!$&'()*+,;=", "~!$&'()*+,;=:@/?"] {
                forms.insert(percent(bytes, keeping: kept, space: "%20", digits))
            }
            forms.insert(percent(bytes, keeping: "~", space: "+", digits))
            forms.insert(percent(bytes, keeping: "*", space: "+", digits))
        }
        let text = String(decoding: bytes, as: UTF8.self)
        forms.formUnion(AddressText.Part.allCases.map { Array($0.encoded(text).utf8) })
        return forms.union([filename(bytes)])
    }

    /// Returns base64 inside a URL, where `+` and `/` are percent-encoded.
    static func percent(base64: [UInt8]) -> Set<[UInt8]> {
        guard base64.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") })
        else { return [] }
        return [
            percent(base64, keeping: "", space: "", lowercaseDigits),
            percent(base64, keeping: "", space: "", uppercaseDigits),
        ]
    }

    /// Returns bytes as the filename of a multipart body, where only the necessary bytes are
    /// encoded.
    static func filename(_ bytes: [UInt8]) -> [UInt8] {
        bytes.replacing("\"".utf8, with: "%22".utf8).replacing("\n".utf8, with: "%0A".utf8)
            .replacing("\r".utf8, with: "%0D".utf8)
    }

    /// Returns bytes in the usual encodings for URLs, forms and file names.
    static func commonPercent(_ bytes: [UInt8]) -> [[UInt8]] {
        ["%20", "+"].map { percent(bytes, keeping: "~", space: $0, uppercaseDigits) }
            + [filename(bytes)]
    }

    private static func percent(
        _ bytes: [UInt8], keeping kept: String, space: String, _ digits: [UInt8]
    ) -> [UInt8] {
        var form: [UInt8] = []
        form.reserveCapacity(bytes.count * 3)
        for byte in bytes {
            if isUnreserved(byte) || kept.utf8.contains(byte) {
                form.append(byte)
            } else if byte == UInt8(ascii: " ") {
                form += space.utf8
            } else {
                form.append(UInt8(ascii: "%"))
                form.append(digits[Int(byte >> 4)])
                form.append(digits[Int(byte & 15)])
            }
        }
        return form
    }

    /// Whether no encoding changes a byte, except for `~`.
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    // MARK: Hexadecimal

    private static let lowercaseDigits = Array("0123456789abcdef".utf8)
    private static let uppercaseDigits = Array("0123456789ABCDEF".utf8)

    /// Bytes as hexadecimal digits.
    static func hexadecimal(_ bytes: [UInt8]) -> Set<[UInt8]> {
        [
            bytes.flatMap { digits(of: $0) },
            bytes.flatMap { [uppercaseDigits[Int($0 >> 4)], uppercaseDigits[Int($0 & 15)]] },
        ]
    }

    /// The two hexadecimal digits of a byte.
    static func digits(of byte: UInt8) -> [UInt8] {
        [lowercaseDigits[Int(byte >> 4)], lowercaseDigits[Int(byte & 15)]]
    }

    // MARK: Base64

    private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    /// Returns the forms that bytes take inside base64, regardless of what precedes and follows
    /// them.
    ///
    /// There are three alignments, depending on the number of preceding bytes. The characters
    /// determined by the bytes alone are one form; together with the character that ends the base64
    /// they are another one.
    static func base64(inside bytes: [UInt8]) -> Set<[UInt8]> {
        var forms: Set<[UInt8]> = []
        for alphabet in [letters + "+/", letters + "-_"].map({ Array($0.utf8) }) {
            for (before, first) in [(0, 0), (1, 2), (2, 3)] {
                let padded = Array(repeating: 0, count: before) + bytes
                let encoded = base64(padded, alphabet)
                let determined = padded.count * 8 / 6
                guard determined - first >= minimumBase64Count else { continue }
                for form in [encoded[first..<determined], encoded[first...]] {
                    forms.insert(Array(form))
                }
            }
        }
        return forms
    }

    /// Returns the bytes in base64 without padding.
    private static func base64(_ bytes: [UInt8], _ alphabet: [UInt8]) -> [UInt8] {
        var encoded: [UInt8] = []
        var bits = 0
        var bitCount = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                encoded.append(alphabet[bits >> bitCount & 63])
            }
        }
        if bitCount > 0 { encoded.append(alphabet[bits << (6 - bitCount) & 63]) }
        return encoded
    }
}

/// Escapes of a string in JSON, HTML, shell command lines and Python source.
enum TextEscapes {
    /// Returns a string escaped for JSON, in the variants used by different programs, and for JSON
    /// nested in JSON.
    ///
    /// Works on bytes: as a `Character`, a combining mark would merge with the quote before it.
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

    /// Returns a string as escaped by one JSON writer.
    static func json(_ bytes: [UInt8], writtenBy writer: JSONWriter) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        return Array(writer.bytes(.string(text)).dropFirst().dropLast())
    }

    /// Escapes some characters as `\u00xx`.
    private static func numbering(_ characters: String, _ json: [UInt8]) -> [UInt8] {
        characters.utf8.reduce(json) { json, byte in
            let escape = Array("\\u00".utf8) + ByteEncodings.digits(of: byte)
            let plain = byte == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), byte] : [byte]
            return json.replacing(plain, with: escape)
        }
    }

    /// Converts the digits of `\uxxxx` to uppercase.
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

    /// Returns a string escaped for HTML or XML, with any choice of quotes and escapes, also nested
    /// in JSON.
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

    /// Returns a string as written between single quotes in a shell, and with backslashes instead
    /// of quotes.
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

    /// Returns a string as Python's `repr` shows it.
    static func python(_ bytes: [UInt8]) -> Set<[UInt8]> {
        guard bytes.contains(where: { "\\'".utf8.contains($0) || $0 < 0x20 }) else { return [] }
        let escaped = bytes.replacing("\\".utf8, with: "\\\\".utf8)
            .replacing("\n".utf8, with: "\\n".utf8).replacing("\r".utf8, with: "\\r".utf8)
            .replacing("\t".utf8, with: "\\t".utf8)
        return [escaped, escaped.replacing("'".utf8, with: "\\'".utf8)]
    }
}
