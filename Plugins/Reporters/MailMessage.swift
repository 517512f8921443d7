import FoundationEssentials
import MasterKit

/// A mail as it is sent: headers and parts of MIME, in ASCII lines that end with CRLF.
struct MailMessage {
    /// A text part.
    struct Part {
        let text: String
        let contentType: String
        /// The file name of an attachment.
        var fileName: String?
    }

    /// The headers in order.
    var headers: [MailHeader] = []
    let body: Part
    var attachments: [Part] = []

    /// Cannot occur in an encoded part.
    private static let boundary = "=_buildmaster_part_="

    /// The message as people read it: the headers, the body, and the names of the attachments.
    var preview: String {
        let files = attachments.map {
            "(attached: \($0.fileName ?? ""), \($0.text.utf8.count) bytes)"
        }
        return (headers.map { "\($0.name): \($0.value)" } + ["", body.text] + files)
            .joined(separator: "\n")
    }

    /// The bytes of the message.
    var bytes: [UInt8] {
        var lines = headers.map(\.line)
        lines.append("MIME-Version: 1.0")
        guard !attachments.isEmpty else {
            lines += Self.lines(of: body)
            if lines.last?.isEmpty == true, !body.text.isEmpty { lines.removeLast() }
            return Array(lines.map { $0 + "\r\n" }.joined().utf8)
        }
        lines.append("Content-Type: multipart/mixed; boundary=\"\(Self.boundary)\"")
        lines.append("")
        for part in [body] + attachments {
            lines.append("--\(Self.boundary)")
            lines += Self.lines(of: part)
        }
        lines.append("--\(Self.boundary)--")
        return Array(lines.map { $0 + "\r\n" }.joined().utf8)
    }

    private static func lines(of part: Part) -> [String] {
        let isReadable = part.text.utf8.count { $0 >= 0x80 } * 4 <= part.text.utf8.count
        var lines = [
            "Content-Type: \(part.contentType)",
            "Content-Transfer-Encoding: \(isReadable ? "quoted-printable" : "base64")",
        ]
        if let name = part.fileName {
            lines.append("Content-Disposition: attachment;")
            lines += MailHeader.parameter("filename", name)
        }
        lines.append("")
        return lines
            + (isReadable
                ? MailEncoding.quotedPrintable(part.text) : MailEncoding.base64(part.text))
    }
}

/// A header of a mail, whose value cannot begin a new one.
struct MailHeader {
    let name: String
    /// The value as people read it.
    let value: String
    private let encoded: String

    /// Creates a header with free text: ASCII as it is, otherwise encoded words.
    init(_ name: String, _ text: String) {
        self.name = name
        value = text
        encoded = Self.text(text)
    }

    /// Creates a header with addresses, of which only the names are encoded.
    init(_ name: String, _ addresses: [MailAddress]) {
        self.name = name
        value = addresses.map { address in
            address.name.map { "\($0) <\(address.address)>" } ?? address.address
        }.joined(separator: ", ")
        encoded = addresses.map(Self.mailbox).joined(separator: ", ")
    }

    /// The header, folded.
    var line: String {
        Self.folded("\(name):", encoded.split(separator: " ", omittingEmptySubsequences: false))
    }

    /// Headers that the mail has anyway.
    static let own: Set = [
        "auto-submitted", "bcc", "cc", "content-disposition", "content-transfer-encoding",
        "content-type", "date", "from", "message-id", "mime-version", "references", "subject", "to",
    ]

    /// Whether a text can be the name of a header.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 70
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
    }

    private static func mailbox(_ address: MailAddress) -> String {
        guard let name = address.name else { return address.address }
        let isPlain = name.utf8.allSatisfy { $0 < 0x80 } && name.utf8.count <= 60
        let special = name.contains { !$0.isLetter && !$0.isNumber && $0 != " " }
        let shown =
            !isPlain
            ? encodedWords(name)
            : special
                ? "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
                : name
        return "\(shown) <\(address.address)>"
    }

    /// A parameter on lines of its own; other letters than ASCII are encoded as RFC 2231 says.
    static func parameter(_ name: String, _ value: String) -> [String] {
        let plain = value.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }
        guard !plain || value.utf8.count > 60 else { return [" \(name)=\"\(value)\""] }
        let encoded = value.percentEncoded
        guard encoded.utf8.count > 60 else { return [" \(name)*=UTF-8''\(encoded)"] }
        var (pieces, piece) = ([String](), "")
        for scalar in value.unicodeScalars {
            let next = String(scalar).percentEncoded
            if piece.utf8.count + next.utf8.count > 55 {
                pieces.append(piece)
                piece = ""
            }
            piece += next
        }
        pieces.append(piece)
        return pieces.enumerated().map { index, piece in
            let end = index == pieces.count - 1 ? "" : ";"
            return " \(name)*\(index)*=\(index == 0 ? "UTF-8''" : "")\(piece)\(end)"
        }
    }

    private static func text(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar
        }
        let text = String(String.UnicodeScalarView(scalars))
        let isPlain =
            text.utf8.allSatisfy { $0 < 0x80 } && !text.contains("=?")
            && text.split(separator: " ").allSatisfy { $0.utf8.count <= 900 }
        return isPlain ? text : encodedWords(text)
    }

    /// Words of RFC 2047, short enough for a line, each of whole Unicode characters.
    private static func encodedWords(_ text: String) -> String {
        var (words, piece) = ([String](), "")
        for scalar in text.unicodeScalars {
            if piece.utf8.count + String(scalar).utf8.count > 30 {
                words.append(piece)
                piece = ""
            }
            piece.unicodeScalars.append(scalar)
        }
        words.append(piece)
        return words.map { "=?UTF-8?B?\(Data($0.utf8).base64EncodedString())?=" }
            .joined(separator: " ")
    }

    /// Joins words with spaces, and begins a new line where one would be too long.
    private static func folded(_ name: String, _ words: [Substring]) -> String {
        var (lines, line) = ([String](), name)
        var hasWord = false
        for word in words {
            // A line of only white space is not allowed.
            if hasWord, !word.isEmpty, line.utf8.count + word.utf8.count + 1 > 76 {
                lines.append(line)
                line = ""
                hasWord = false
            }
            line += " \(word)"
            if !word.isEmpty { hasWord = true }
        }
        return (lines + [line]).joined(separator: "\r\n")
    }
}

/// The encodings of parts, as lines of at most 76 characters.
enum MailEncoding {
    static func base64(_ text: String) -> [String] {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        let encoded = Array(Data(lines.joined(separator: "\r\n").utf8).base64EncodedString().utf8)
        return stride(from: 0, to: encoded.count, by: 76).map {
            String(decoding: encoded[$0..<min(encoded.count, $0 + 76)], as: UTF8.self)
        }
    }

    static func quotedPrintable(_ text: String) -> [String] {
        let lines = Array(text.utf8).split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return lines.flatMap { line in
            encoded(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
    }

    private static func encoded(_ line: ArraySlice<UInt8>) -> [String] {
        let isSimple =
            line.count <= 75 && line.last != 0x20
            && line.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
        if isSimple { return [String(decoding: line, as: UTF8.self)] }
        var (lines, room) = ([String](), [UInt8]())
        for (index, byte) in zip(line.indices, line) {
            let isLast = index == line.endIndex - 1
            let isSpace = byte == 0x20 || byte == 0x09
            let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
            let unit = isPlain || (isSpace && !isLast) ? [byte] : hex(byte)
            if room.count + unit.count > 75 {
                lines.append(String(decoding: room, as: UTF8.self) + "=")
                room = []
            }
            room += unit
        }
        return lines + [String(decoding: room, as: UTF8.self)]
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func hex(_ byte: UInt8) -> [UInt8] {
        [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
