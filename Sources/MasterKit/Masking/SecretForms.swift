/// The forms in which the value of a secret may appear in output.
struct SecretForms {
    /// Shorter lines of a value of several lines are no secrets by themselves.
    private static let minimumLineCount = 8

    /// The forms that stand in one piece, in UTF-8, without doubles; none for a blank value.
    private(set) var texts: Set<[UInt8]> = []
    /// The forms in base64, which programs break into lines.
    private(set) var base64: Set<[UInt8]> = []

    init(of value: String) {
        let trimmed = Self.trimmed(value)
        guard !trimmed.isEmpty else { return }
        for text in Set([value, trimmed]) { add(text) }
        addLines(of: trimmed)
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    /// Adds a text as it is, escaped and encoded.
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

    /// Adds the longer lines of a value of several lines, but not the frame of a PEM file.
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
