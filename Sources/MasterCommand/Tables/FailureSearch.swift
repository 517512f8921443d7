internal import MasterKit

/// What a line of output that tells of a failure looks like, and which lines after it belong to it.
struct FailurePattern: Sendable {
    /// The lines that follow.
    enum Block: Sendable {
        /// None.
        case none
        /// Those that are indented deeper, up to a number.
        case deeper(Int)
        /// Those up to the next empty line, up to a number.
        case paragraph(Int)
        /// The last call and the exception of a Python traceback.
        case traceback
    }

    /// The text in UTF-8, where `#` stands for a number; at least four bytes come before one.
    let text: [UInt8]
    /// Whether the text has to be at the start of the line, after spaces.
    let isAtStart: Bool
    /// Whether lines that tell of nothing may contain it, too: such lines are shown only if there
    /// is room.
    let isGeneral: Bool
    let block: Block

    private static func start(_ text: String, _ block: Block = .none) -> FailurePattern {
        FailurePattern(text: Array(text.utf8), isAtStart: true, isGeneral: false, block: block)
    }

    private static func inside(_ text: String, _ block: Block = .none) -> FailurePattern {
        FailurePattern(text: Array(text.utf8), isAtStart: false, isGeneral: false, block: block)
    }

    private static func general(_ text: String) -> FailurePattern {
        FailurePattern(text: Array(text.utf8), isAtStart: false, isGeneral: true, block: .none)
    }

    /// The patterns of common tools.
    static let all: [FailurePattern] = [
        // GCC, Clang, Swift, XCTest, cargo
        .inside(": error:", .deeper(2)), .inside(": fatal error:", .deeper(2)), .start("error:"),
        // The user's own line of an error in a template of a library
        .inside("required from here"), .inside("in instantiation of"), .inside("requested here"),
        .inside("undefined reference to"), .inside("multiple definition of"),
        .inside("Undefined symbols for"), .inside("cannot find -l"), .inside("undefined symbol"),
        // MSVC, C#, MSBuild, TypeScript
        .inside("error C#:"), .inside("error LNK#:"), .inside("error CS#:"),
        .inside("error MSB#:"), .inside("error TS#:"),
        .start("CMake Error", .deeper(6)),
        .inside("***Failed"), .inside("***Exception"), .inside("***Timeout"),
        .inside("***Not Run"), .start("make: ***"), .start("ninja: "),
        // GoogleTest, Catch2
        .inside(": Failure", .paragraph(5)), .inside(": FAILED:", .paragraph(5)),
        .inside(": Assertion `"),
        // Swift Testing, Swift
        .inside(" recorded an issue"), .inside("Fatal error: "),
        // Rust
        .start("error[E", .paragraph(5)), .inside(" panicked at ", .paragraph(3)),
        // Go
        .inside(".go:#:#: "), .inside("_test.go:#: "), .start("--- FAIL: ", .deeper(4)),
        .start("panic: ", .paragraph(2)),
        // Python: pytest, unittest
        .start("Traceback (most recent call last)", .traceback), .start("E   "),
        .start("FAILED "), .start("ERROR "), .start("FAIL: "), .start("ERROR: "),
        .inside(".py:#: "),
        // JavaScript: TAP, node --test, Jest, npm
        .start("not ok ", .deeper(14)), .start("✖ ", .deeper(6)), .start("● ", .deeper(6)),
        .start("npm ERR! "), .start("npm error "),
        // Java: Maven, Gradle
        .start("[ERROR] "), .start("* What went wrong:", .paragraph(3)),
        .start("Exception in thread ", .deeper(2)), .start("Caused by: "),
        // Shells, git
        .inside(": command not found"), .inside(": not found"), .inside("Segmentation fault"),
        .inside("(core dumped)"), .start("fatal: "), .inside(": Permission denied"),
        // Anything else
        .general("error:"), .general("Error:"), .general("ERROR:"), .general("fatal:"),
        .general("FATAL"), .general("fatal error"), .general("FAILED"), .general("AssertionError"),
        .general("*** "), .general("No such file or directory"), .general("Aborted"),
        .general("Killed"),
    ]

    /// The first four bytes of the text.
    fileprivate var mark: UInt32 {
        text.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Whether a line has the text at an index.
    fileprivate func fits(_ line: ArraySlice<UInt8>, at index: Int, indentation: Int) -> Bool {
        if isAtStart, index != line.startIndex + indentation { return false }
        var rest = line[index...]
        for byte in text {
            if byte == UInt8(ascii: "#") {
                let end = rest.firstIndex { !(0x30...0x39).contains($0) } ?? rest.endIndex
                guard end > rest.startIndex else { return false }
                rest = rest[end...]
            } else {
                guard rest.popFirst() == byte else { return false }
            }
        }
        return true
    }
}

/// Finds the lines of a log that tell of failures, in one pass.
struct FailureSearch {
    /// The maximum number of lines.
    static let lineLimit = 20

    private struct Found {
        let offset: Int
        let line: LogLine
    }

    /// The lines that still may belong to a failure.
    private struct Open {
        var block: FailurePattern.Block
        let indentation: Int
        /// The last call of a traceback.
        var held: [Found] = []
    }

    private var found: [Found] = []
    private var general: [Found] = []
    private var open: Open?
    private let patterns = Dictionary(grouping: FailurePattern.all, by: \.mark)
    /// By the hash of four bytes, whether a pattern may start with them; nearly all do not.
    private let isMark: [Bool]

    init() {
        var isMark = Array(repeating: false, count: 1 << 16)
        for pattern in FailurePattern.all { isMark[Self.hash(pattern.mark)] = true }
        self.isMark = isMark
    }

    private static func hash(_ mark: UInt32) -> Int {
        Int(truncatingIfNeeded: (mark &* 0x9E37_79B1) >> 16)
    }

    /// The lines found before an offset of the log, in order.
    func found(before limit: Int) -> [LogLine] {
        let certain = found.prefix { $0.offset < limit }
        let others = general.prefix { $0.offset < limit }.prefix(Self.lineLimit - certain.count)
        return (certain + others).sorted { $0.offset < $1.offset }.map(\.line)
    }

    /// Searches whole lines of a log, each marked with its channel.
    mutating func note(_ lines: ArraySlice<UInt8>, offset: Int) {
        let start = lines.startIndex
        for line in lines.split(separator: 0x0A) where line.first != LogChannel.header.rawValue {
            guard found.count < Self.lineLimit else { return }
            note(line, at: offset + line.startIndex - start)
        }
    }

    private mutating func note(_ marked: ArraySlice<UInt8>, at offset: Int) {
        let hasChannel = marked.first.flatMap { LogChannel(rawValue: $0) } != nil
        let text = marked.dropFirst(hasChannel ? 1 : 0)
        let line = text.contains(0x1B) ? Self.plain(text) : text
        let indentation = line.prefix { $0 == 0x20 || $0 == 0x09 }.count
        let isBlank = indentation == line.count || line.dropFirst(indentation).first == 0x0D
        var this: Found { Found(offset: offset, line: LogLine(marked: marked)) }
        if open != nil, take(line, indentation, isBlank: isBlank, { this }) { return }
        guard !isBlank, let pattern = pattern(in: line, indentation) else { return }
        if pattern.isGeneral {
            if general.count < Self.lineLimit { general.append(this) }
        } else {
            found.append(this)
            open = Open(block: pattern.block, indentation: indentation)
        }
    }

    /// Adds a line if it belongs to the failure before it.
    private mutating func take(
        _ line: ArraySlice<UInt8>, _ indentation: Int, isBlank: Bool, _ this: () -> Found
    ) -> Bool {
        guard var open else { return false }
        self.open = nil
        switch open.block {
        case .deeper(let count) where count > 0 && (isBlank || indentation > open.indentation):
            if !isBlank { found.append(this()) }
            open.block = .deeper(isBlank ? count : count - 1)
        case .paragraph(let count) where count > 0 && !isBlank:
            found.append(this())
            open.block = .paragraph(count - 1)
        case .traceback where indentation > open.indentation || isBlank:
            let isCall = line.dropFirst(indentation).starts(with: Array("File \"".utf8))
            if isCall { open.held = [] }
            if isCall || open.held.count == 1 { open.held.append(this()) }
        case .traceback:
            found += open.held + [this()]
            return true
        case .none, .deeper, .paragraph: return false
        }
        self.open = open
        return true
    }

    /// The pattern that fits a line, rather one that is not general.
    private func pattern(in line: ArraySlice<UInt8>, _ indentation: Int) -> FailurePattern? {
        var mark: UInt32 = 0
        var general: FailurePattern?
        for index in line.indices {
            mark = mark << 8 | UInt32(line[index])
            guard isMark[Self.hash(mark)], index >= line.startIndex + 3 else { continue }
            for pattern in patterns[mark] ?? []
            where pattern.fits(line, at: index - 3, indentation: indentation) {
                if !pattern.isGeneral { return pattern }
                general = pattern
            }
        }
        return general
    }

    /// The text without colors.
    private static func plain(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        Array(TerminalText.plain(String(decoding: text, as: UTF8.self)).utf8)[...]
    }
}

/// The first line of a log that tells of a failure, and its place in a file.
struct FailureCause: Sendable, Hashable {
    /// The number of lines among which the place is searched.
    private static let lineCount = 6

    let text: String
    let file: String?
    let line: Int?

    init?(_ lines: [LogLine]) {
        guard let first = lines.first else { return nil }
        let texts = lines.prefix(Self.lineCount).map { TerminalText.plain($0.text) }
        let place = texts.lazy.compactMap { Self.place(in: $0) }.first
        text = TerminalText.shown(first.text)
        file = place?.file
        line = place?.line
    }

    /// The first `file:3`, `file(3,5)` or `File "file", line 3` in a line.
    static func place(in text: String) -> (file: String, line: Int)? {
        if let start = text.firstRange(of: "File \""),
            let end = text[start.upperBound...].firstRange(of: "\", line "),
            let line = Int(text[end.upperBound...].prefix { $0.isASCII && $0.isNumber })
        {
            return (String(text[start.upperBound..<end.lowerBound]), line)
        }
        for word in text.split(whereSeparator: { " \t'\"`".contains($0) }) {
            guard let mark = word.firstIndex(where: { $0 == ":" || $0 == "(" }) else { continue }
            let file = word[..<mark]
            // Neither a time nor an address.
            guard let dot = file.lastIndex(of: "."),
                let first = file[dot...].dropFirst().first, first.isLetter,
                let line = Int(word[mark...].dropFirst().prefix { $0.isASCII && $0.isNumber })
            else { continue }
            return (String(file), line)
        }
        return nil
    }
}
