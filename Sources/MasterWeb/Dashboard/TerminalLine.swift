/// What a terminal shows of a line: its text without the codes, in the colors that they choose.
///
/// The page's script does the same for lines that come later.
struct TerminalLine {
    /// The pieces of the line, each in one style.
    private(set) var pieces: [(text: String, style: TerminalStyle)] = []

    /// The text of all pieces.
    var text: String { pieces.map(\.text).joined() }

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - line: The line; what follows a carriage return replaces what stands before it.
    ///   - style: The style in effect before the line; updated to that after it.
    init(_ line: some StringProtocol, _ style: inout TerminalStyle) {
        guard line.utf8.contains(where: { $0 == 0x1B || $0 == 0x0D }) else {
            pieces = [(String(line), style)]
            return
        }
        var bytes: [UInt8] = []
        var rest = Array(line.utf8)[...]
        while rest.last == 0x0D { rest.removeLast() }
        while let byte = rest.popFirst() {
            switch (byte, rest.first) {
            case (0x1B, UInt8(ascii: "[")):
                let parameters = rest.dropFirst().prefix { (0x20...0x3F).contains($0) }
                rest = rest[parameters.endIndex...]
                guard let kind = rest.first, (0x40...0x7E).contains(kind) else { continue }
                rest.removeFirst()
                // Of those with colons, such as `4:3`, and for private use, nothing is shown.
                guard kind == UInt8(ascii: "m"),
                    parameters.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x3B })
                else { continue }
                append(&bytes, style)
                style.choose(String(decoding: parameters, as: UTF8.self))
            case (0x1B, UInt8(ascii: "(")), (0x1B, UInt8(ascii: ")")):
                rest.removeFirst()
                if let set = rest.first, (0x20...0x7E).contains(set) { rest.removeFirst() }
            case (0x1B, UInt8(ascii: "]")):
                // A title or a link. It ends with a bell, or an escape and a backslash.
                rest = rest.drop { $0 != 0x07 && $0 != 0x1B }
                let isEnded = rest.starts(with: [0x1B, UInt8(ascii: "\\")])
                rest = rest.dropFirst(rest.first == 0x07 ? 1 : isEnded ? 2 : 0)
            case (0x0D, _):
                bytes = []
                pieces = []
            default: bytes.append(byte)
            }
        }
        append(&bytes, style)
    }

    private mutating func append(_ bytes: inout [UInt8], _ style: TerminalStyle) {
        if !bytes.isEmpty { pieces.append((String(decoding: bytes, as: UTF8.self), style)) }
        bytes = []
    }
}

/// How a terminal shows a text.
struct TerminalStyle: Equatable {
    private var isBold = false
    private var isItalic = false
    private var isUnderlined = false
    private var isInverse = false
    /// The color of the text, from 0 (black) to 7 (white).
    private var color: Int?
    /// The color behind the text.
    private var background: Int?

    /// The classes of the style sheet, or `nil` for plain text.
    var classes: String? {
        // A color behind a text decides alone, so that the text can be read.
        let behind = background ?? (isInverse ? color ?? 7 : nil)
        let names = [
            isBold ? "bold" : nil, isItalic ? "italic" : nil, isUnderlined ? "underline" : nil,
            behind.map { "back\($0)" } ?? color.map { "text\($0)" },
        ].compactMap { $0 }
        return names.isEmpty ? nil : names.joined(separator: " ")
    }

    /// Takes the parameters of a code for colors, such as `1;31`; other colors than the sixteen
    /// with names are left out.
    mutating func choose(_ parameters: String) {
        var numbers = parameters.split(separator: ";", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? 0 : Int($0) ?? -1 }[...]
        while let number = numbers.popFirst() {
            switch number {
            case 0: self = TerminalStyle()
            case 1: isBold = true
            case 3: isItalic = true
            case 4: isUnderlined = true
            case 7: isInverse = true
            case 22: isBold = false
            case 23: isItalic = false
            case 24: isUnderlined = false
            case 27: isInverse = false
            case 30...37, 90...97: color = number % 10
            case 40...47, 100...107: background = number % 10
            case 38: color = Self.takeColor(&numbers)
            case 39: color = nil
            case 48: background = Self.takeColor(&numbers)
            case 49: background = nil
            default: break
            }
        }
    }

    /// Consumes a color by its number, or by red, green and blue.
    private static func takeColor(_ numbers: inout ArraySlice<Int>) -> Int? {
        guard numbers.popFirst() == 5 else {
            numbers = numbers.dropFirst(3)
            return nil
        }
        return numbers.popFirst().flatMap { (0..<16).contains($0) ? $0 % 8 : nil }
    }
}
