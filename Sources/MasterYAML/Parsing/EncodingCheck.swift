/// Checks that a file is UTF-8 text before libyaml reads it.
struct EncodingCheck {
    private static let maximumDiagnosticCount = 20

    /// The file without its byte order mark.
    let file: SourceFile
    private(set) var diagnostics: [Diagnostic] = []

    init(_ bytes: [UInt8], name: String) {
        let encoding = Self.foreignEncoding(of: bytes)
        let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let text = encoding == nil ? (hasMark ? Array(bytes.dropFirst(3)) : bytes) : []
        file = SourceFile(name: name, bytes: text)
        if let encoding {
            let message = "the file is encoded in \(encoding); save it as UTF-8"
            diagnostics = [Diagnostic(.error, message, file: file)]
        } else {
            checkCharacters()
        }
    }

    private static func foreignEncoding(of bytes: [UInt8]) -> String? {
        let head = Array(bytes.prefix(4))
        if head == [0, 0, 0xFE, 0xFF] || head == [0xFF, 0xFE, 0, 0] { return "UTF-32" }
        if head.starts(with: [0xFE, 0xFF]) || head.starts(with: [0xFF, 0xFE]) { return "UTF-16" }
        guard head.count == 4 else { return nil }
        let zeros = head.map { $0 == 0 }
        return zeros == [false, true, false, true] || zeros == [true, false, true, false]
            ? "UTF-16" : nil
    }

    private mutating func checkCharacters() {
        let bytes = file.bytes
        var offset = 0
        while offset < bytes.count, diagnostics.count < Self.maximumDiagnosticCount {
            let byte = bytes[offset]
            if byte >= 0x20 && byte < 0x7F || byte.isBlankOrBreak {
                offset += 1
                continue
            }
            let length = Self.sequenceLength(bytes, at: offset)
            check(bytes[offset..<offset + max(length, 1)], isValid: length > 0)
            offset += max(length, 1)
            if length == 0 {
                while offset < bytes.count, bytes[offset].isContinuation { offset += 1 }
            }
        }
    }

    private mutating func check(_ sequence: ArraySlice<UInt8>, isValid: Bool) {
        guard isValid else {
            let byte = String(sequence[sequence.startIndex], radix: 16, uppercase: true)
            return report(
                "the byte 0x\(byte) is not valid UTF-8 here; save the file as UTF-8", sequence)
        }
        guard let scalar = String(decoding: sequence, as: UTF8.self).unicodeScalars.first,
            Self.isForbidden(scalar)
        else { return }
        let code = String(scalar.value, radix: 16, uppercase: true)
        let name = "U+" + String(repeating: "0", count: max(4 - code.count, 0)) + code
        switch scalar.value {
        case 0: report("a NUL character is not allowed; remove it", sequence)
        case 0xFEFF:
            report("a byte order mark (\(name)) is allowed only at the start; remove it", sequence)
        default:
            report(
                "the control character \(name) is not allowed; remove it, "
                    + "or write it as \"\\u\(name.dropFirst(2))\" in double quotes", sequence)
        }
    }

    private mutating func report(_ message: String, _ sequence: ArraySlice<UInt8>) {
        let range = file.range(ofUTF8: sequence.startIndex..<sequence.endIndex)
        diagnostics.append(Diagnostic(.error, message, file: file, range: range))
    }

    /// Whether YAML forbids the character everywhere.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x85: false
        case 0..<0x20, 0x7F..<0xA0, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    /// Returns the length of the UTF-8 sequence at an offset; 0 when there is no valid one.
    private static func sequenceLength(_ bytes: [UInt8], at offset: Int) -> Int {
        let lead = bytes[offset]
        let second: ClosedRange<UInt8>
        let length: Int
        switch lead {
        case 0..<0x80: return 1
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard offset + length <= bytes.count, second.contains(bytes[offset + 1]) else { return 0 }
        let rest = bytes[offset + 2..<offset + length]
        return rest.allSatisfy(\.isContinuation) ? length : 0
    }
}

/// The characters of YAML's syntax.
extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let hash = UInt8(ascii: "#")
    static let colon = UInt8(ascii: ":")
    static let dash = UInt8(ascii: "-")
    static let comma = UInt8(ascii: ",")
    static let exclamation = UInt8(ascii: "!")
    static let ampersand = UInt8(ascii: "&")
    static let asterisk = UInt8(ascii: "*")
    static let percent = UInt8(ascii: "%")
    static let backslash = UInt8(ascii: "\\")
    static let singleQuote = UInt8(ascii: "'")
    static let doubleQuote = UInt8(ascii: "\"")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")

    var isBlank: Bool { self == .space || self == .tab }
    var isLineBreak: Bool { self == .lineFeed || self == .carriageReturn }
    var isBlankOrBreak: Bool { isBlank || isLineBreak }
    var isContinuation: Bool { self & 0xC0 == 0x80 }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
    var isQuote: Bool { self == .singleQuote || self == .doubleQuote }
    var isFlowIndicator: Bool {
        self == .comma || self == .openBracket || self == .closeBracket || self == .openBrace
            || self == .closeBrace
    }

    /// Whether libyaml accepts the character in the name of an anchor.
    var isNameCharacter: Bool {
        isDigit || self == .dash || self == UInt8(ascii: "_")
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }
}
