internal import MasterKit

/// A line of a program's output as a terminal shows it.
///
/// Carriage returns and backspaces go back, and what follows overwrites what was there, as in
/// progress bars. Colors are kept or dropped; other control characters have no effect.
struct TerminalText {
    private static let reset = "\u{1B}[0m"
    private static let tabWidth = 8
    /// The maximum number of columns; what goes beyond them is dropped.
    private static let bound = 1 << 20
    /// The column beyond which the cursor only moves by writing, as at the right edge of a terminal.
    private static let edge = 1000
    /// The maximum length of the sequences for the colors in effect.
    private static let longestStyle = 100

    /// A column; the second one of a wide character is empty.
    private struct Cell {
        var character: Character?
        var style = ""
    }

    private var cells: [Cell] = []
    private var cursor = 0
    private var style: String
    private let keepsColours: Bool

    private init(style: String, keepsColours: Bool) {
        self.style = style
        self.keepsColours = keepsColours
    }

    /// The line as shown; colors end with it.
    static func shown(_ line: String, keepsColours: Bool = false) -> String {
        var colours = ""
        return shown(line, keepsColours: keepsColours, &colours)
    }

    /// The line as shown.
    ///
    /// - Parameters:
    ///   - line: The line.
    ///   - keepsColours: Whether colors are kept.
    ///   - colours: The colors in effect before the line; updated to those after it.
    /// - Returns: The line, with colors that end with it.
    static func shown(_ line: String, keepsColours: Bool, _ colours: inout String) -> String {
        let isPlain = line.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
        if isPlain, colours.isEmpty { return line.makingControlsVisible(keepingTabs: true) }
        var text = TerminalText(style: colours, keepsColours: keepsColours)
        text.read(line)
        colours = text.style
        return text.joined
    }

    /// The line without escape sequences.
    static func plain(_ line: String) -> String {
        guard line.utf8.contains(0x1B) else { return line }
        var rest = line.unicodeScalars[...]
        var plain = ""
        while let scalar = rest.popFirst() {
            if scalar == "\u{1B}" {
                _ = takeSequence(&rest)
            } else {
                plain.unicodeScalars.append(scalar)
            }
        }
        return plain
    }

    private mutating func read(_ line: String) {
        var rest = line.unicodeScalars[...]
        var run = ""
        while let scalar = rest.popFirst() {
            if scalar.value >= 0x20, scalar.value != 0x7F {
                run.unicodeScalars.append(scalar)
                continue
            }
            write(run)
            run = ""
            switch scalar {
            case "\r": cursor = 0
            case "\u{08}": cursor = max(0, cursor - 1)
            case "\t": repeat { put(" ", columns: 1) } while cursor % Self.tabWidth != 0
            case "\u{1B}":
                if let (end, parameters) = Self.takeSequence(&rest) { obey(end, parameters) }
            default: break
            }
        }
        write(run)
    }

    private mutating func write(_ run: String) {
        for character in run.makingControlsVisible() {
            put(character, columns: max(1, String(character).columns))
        }
    }

    private mutating func put(_ character: Character, columns: Int) {
        guard cursor + columns <= Self.bound else { return cursor += columns }
        while cells.count < cursor + columns { cells.append(Cell(character: " ")) }
        cells[cursor] = Cell(character: character, style: style)
        if columns == 2 { cells[cursor + 1] = Cell() }
        cursor += columns
    }

    private mutating func obey(_ end: Unicode.Scalar, _ parameters: String) {
        let number = min(max(0, Int(parameters) ?? (end == "K" ? 0 : 1)), Self.bound)
        switch end {
        case "m" where keepsColours: setStyle(parameters)
        case "G": cursor = min(max(0, number - 1), farthest)
        case "C": cursor = max(cursor, min(cursor + number, farthest))
        case "D": cursor = max(0, cursor - number)
        case "K":
            if number != 1, cursor < cells.count { cells.removeSubrange(cursor...) }
            if number > 0 {
                for index in cells.indices.prefix(cursor + 1) {
                    cells[index] = Cell(character: " ")
                }
            }
        default: break
        }
    }

    /// The last column that a sequence can move the cursor to.
    private var farthest: Int { max(Self.edge, cells.count) }

    private mutating func setStyle(_ parameters: String) {
        let sequence = "\u{1B}[\(parameters)m"
        if parameters.allSatisfy({ $0 == "0" }) {
            style = ""
        } else if parameters.hasPrefix("0;") || style.utf8.count > Self.longestStyle {
            style = sequence
        } else {
            style += sequence
        }
    }

    private var joined: String {
        var text = ""
        var current = ""
        for case (let character?, let style) in cells.lazy.map({ ($0.character, $0.style) }) {
            if style != current {
                text += (current.isEmpty ? "" : Self.reset) + style
                current = style
            }
            text.append(character)
        }
        return current.isEmpty ? text : text + Self.reset
    }

    /// Consumes the sequence after an escape character.
    ///
    /// - Returns: Its last character and its parameters if it is a control sequence.
    private static func takeSequence(
        _ rest: inout Substring.UnicodeScalarView
    ) -> (end: Unicode.Scalar, parameters: String)? {
        switch rest.first {
        case "[":
            rest.removeFirst()
            var parameters = ""
            while let next = rest.popFirst() {
                if ("\u{40}"..."\u{7E}").contains(next) { return (next, parameters) }
                parameters.unicodeScalars.append(next)
            }
        case "]":
            // A title or a link, up to BEL or ESC \.
            while let next = rest.popFirst(), next != "\u{07}" {
                if next == "\u{1B}" {
                    if rest.first == "\\" { rest.removeFirst() }
                    break
                }
            }
        case nil: break
        default: rest.removeFirst()
        }
        return nil
    }
}
