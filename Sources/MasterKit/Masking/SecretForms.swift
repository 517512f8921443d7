/// The forms in which the value of a secret may appear in output.
struct SecretForms {
    /// Shorter lines of a value of several lines are no secrets by themselves.
    private static let minimumLineCount = 8

    /// The forms in UTF-8, without doubles; none for a blank value.
    private(set) var all: Set<[UInt8]> = []

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
        all.insert(bytes)
        all.formUnion(TextEscapes.json(text))
        all.formUnion(TextEscapes.html(text))
        all.formUnion(TextEscapes.shell(bytes))
        all.formUnion(TextEscapes.python(bytes))
        all.formUnion(ByteEncodings.percent(bytes))
        all.formUnion(ByteEncodings.hexadecimal(bytes))
        all.formUnion(ByteEncodings.base64(inside: bytes))
        all.formUnion(ByteEncodings.base64(inside: [UInt8(ascii: ":")] + bytes))
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.count > 1 { all.insert(Array(lines.joined(separator: "\r\n".utf8))) }
    }

    /// Adds the longer lines of a value of several lines, but not the frame of a PEM file.
    private mutating func addLines(of text: String) {
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count > 1 else { return }
        for line in lines {
            let line = Self.trimmed(String(line))
            guard line.count >= Self.minimumLineCount, !line.hasPrefix("-----") else { continue }
            add(line)
        }
    }
}
