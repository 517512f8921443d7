/// The forms in which the value of a secret may appear in output.
struct SecretForms {
    /// Shorter lines of a value of several lines are no secrets by themselves.
    private static let minimumLineCount = 8
    /// Shorter pieces of base64 would be found everywhere.
    private static let minimumBase64Count = 4

    /// The forms in UTF-8, without doubles; none for a blank value.
    private(set) var all: Set<[UInt8]> = []

    init(of value: String) {
        let trimmed = Self.trimmed(value)
        guard !trimmed.isEmpty else { return }
        for text in Set([value, trimmed]) {
            add(text)
            addBase64(of: Array(text.utf8))
            addBase64(of: Array(":\(text)".utf8))
        }
        addLines(of: trimmed)
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }

    /// Adds a text as it is, escaped and encoded.
    private mutating func add(_ text: String) {
        all.insert(Array(text.utf8))
        addEscaped(text)
        for keeps in ["", "/", "!'()*", "!$&'()*+,;=", "!$&'()*+,;=:@/?"] {
            addPercentEncoded(text, keeping: keeps, space: "%20")
        }
        addPercentEncoded(text, keeping: "", space: "+")
        addPercentEncoded(text, keeping: "*", space: "+", encodingTilde: true)
    }

    /// Adds a text escaped for JSON, in the ways of several writers, and for JSON inside JSON.
    ///
    /// In bytes: a mark that combines with the quote before it would be one character with it.
    private mutating func addEscaped(_ text: String) {
        for writer in [JSONWriter.compact, .python] {
            let escaped = Self.unquoted(writer.bytes(.string(text)))
            all.insert(escaped)
            all.insert(escaped.replacing("/".utf8, with: "\\/".utf8))
            all.insert(
                escaped.replacing("&".utf8, with: "\\u0026".utf8)
                    .replacing("<".utf8, with: "\\u003c".utf8)
                    .replacing(">".utf8, with: "\\u003e".utf8))
            let inner = String(decoding: escaped, as: UTF8.self)
            all.insert(Self.unquoted(writer.bytes(.string(inner))))
        }
    }

    private static func unquoted(_ json: [UInt8]) -> [UInt8] {
        Array(json.dropFirst().dropLast())
    }

    private mutating func addPercentEncoded(
        _ text: String,
        keeping kept: String,
        space: String,
        encodingTilde: Bool = false
    ) {
        for digits in ["0123456789ABCDEF", "0123456789abcdef"].map({ Array($0.utf8) }) {
            var form: [UInt8] = []
            for byte in text.utf8 {
                let isTilde = byte == UInt8(ascii: "~")
                if Self.isUnreserved(byte) || isTilde && !encodingTilde
                    || kept.utf8.contains(byte)
                {
                    form.append(byte)
                } else if byte == UInt8(ascii: " ") {
                    form += space.utf8
                } else {
                    form += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
            all.insert(form)
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Adds what the bytes look like inside base64, whatever stands before and behind them.
    ///
    /// Depending on how many bytes stand before, there are three alignments. The characters that
    /// the bytes determine alone are one form; with the character that ends the base64 they are
    /// another one.
    private mutating func addBase64(of bytes: [UInt8]) {
        for alphabet in [Self.alphabet + "+/", Self.alphabet + "-_"].map({ Array($0.utf8) }) {
            for (before, first) in [(0, 0), (1, 2), (2, 3)] {
                let padded = Array(repeating: 0, count: before) + bytes
                let encoded = Self.base64(padded, alphabet)
                let determined = padded.count * 8 / 6
                guard determined - first >= Self.minimumBase64Count else { continue }
                all.insert(Array(encoded[first..<determined]))
                all.insert(Array(encoded[first...]))
            }
        }
    }

    private static let alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

    /// The bytes in base64 without padding.
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
