/// The forms in which a secret's value may appear in output.
struct SecretForms {
    /// Shorter lines of a multi-line value are not treated as secrets by themselves.
    private static let minimumLineCount = 8

    /// The contiguous forms, in UTF-8, without duplicates; empty for a blank value.
    private(set) var texts: Set<[UInt8]> = []
    /// The base64 forms, which programs may break into lines.
    private(set) var base64: Set<[UInt8]> = []

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
        texts.formUnion(ByteEncodings.hexadecimal(bytes))
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
                base64.insert(form)
                texts.formUnion(ByteEncodings.percent(base64: form))
            }
        }
        texts.subtract(base64)
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
        for text in [String(part), Self.decoded(part)] where text.count >= Self.minimumCount {
            secret.insert(text)
        }
    }

    /// Whether a path component is more likely a token than a word.
    private static func isToken(_ part: Substring) -> Bool {
        part.count >= tokenCount || part.contains(where: \.isNumber)
    }

    /// The component with percent-encoding removed.
    private static func decoded(_ part: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(part.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
