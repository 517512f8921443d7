import Foundation
import Testing

/// Checks the list of all messages in the program, kept in one file for easy review.
@Suite(.timeLimit(.minutes(2)))
struct SentencesTests {
    private static let list = "Tests/ExamplesTests/Fixtures/sentences.txt"
    private static let renewal = "RENEW_SENTENCES=1 swift test --filter SentencesTests"

    /// Patterns that are not plain English, with replacements.
    private static let forbidden = [
        (#"(^|[^e\s]|[^r]e|[^e]re|[^h]ere)\s(is|are) (no|none)\b(?! longer)"#, "'is not a …'"),
        (#"\bthat which\b"#, "'what'"),
        (#"\bbegins to\b"#, "the verb alone"), (#"\bwhom\b"#, "'who'"),
        (#"\bbe there none\b"#, "'if there are none'"), (#"\bspelt\b"#, "'spelled'"),
        (#"\b(goes|gone|go) on\b"#, "'continue' or 'resume'"),
        (#"\bmeans nothing\b"#, "'is not allowed'"), (#"\bmend\b"#, "'fix'"),
        (#"\bleads nowhere\b"#, "'broken'"), (#"\bonce more\b"#, "'again'"),
        (#"\bhow the sender is proved\b"#, "'credentials'"), (#"\bnobody\b"#, "a passive"),
    ]

    @Test func `the list of sentences is that of the sources`() async throws {
        let found = try await Self.sentences()
        let text = found.map { $0 + "\n" }.joined()
        let place = "\(Checkout.folder)/\(Self.list)"
        if ProcessInfo.processInfo.environment["RENEW_SENTENCES"] != nil {
            try text.write(toFile: place, atomically: true, encoding: .utf8)
        }
        let listed = try Checkout.lines(of: Self.list).filter { !$0.isEmpty }.map(String.init)
        let change = found.difference(from: listed)
        let words = change.map { step in
            switch step {
            case .insert(_, let sentence, _): "+ \(sentence)"
            case .remove(_, let sentence, _): "- \(sentence)"
            }
        }
        #expect(
            words == [],
            "read the sentences that changed, then renew the list with: \(Self.renewal)")
    }

    @Test func `every sentence is plain English`() async throws {
        let rules = try Self.forbidden.map { (try Regex($0.0).ignoresCase(), $0.1) }
        let wrong = try await Self.sentences().flatMap { sentence in
            rules.filter { sentence.contains($0.0) }.map { "write \($0.1): \(sentence)" }
        }
        #expect(wrong == [])
    }

    @Test func `literals are read as Swift reads them`() {
        let source = ##"""
            // "a comment is none" and /* so "is this" */
            let a = "one \(name(of: "two words", x)) three" + b
            let b = "first part "
                + "second \"part\"" + " end"
            let c = #"raw \n "words" \#(d) here"# /* "not this one" */
            let d = """
                many lines \
                joined "here"
                """
            let e = ["word", "INSERT INTO t VALUES", "\u{e9}t\u{e9} is warm"]
            """##
        #expect(
            SwiftLiterals.sentences(in: source) == [
                "one … three", "two words", "first part second \"part\" end",
                "raw \\n \"words\" … here", "many lines joined \"here\"", "été is warm",
            ])
    }

    /// The messages in the program and its plugins, without duplicates, sorted.
    private static func sentences() async throws -> [String] {
        var found: Set<String> = []
        for path in try await Checkout.trackedFiles()
        where path.hasSuffix(".swift") && (path.hasPrefix("Sources/") || path.hasPrefix("Plugins/"))
            && !path.hasPrefix("Sources/MasterTesting/")
            && !path.hasPrefix("Sources/MasterRuntimeTesting/")
        {
            found.formUnion(SwiftLiterals.sentences(in: try Checkout.text(of: path)))
        }
        return found.sorted()
    }
}

/// Finds the string literals in Swift source that contain several words.
///
/// Concatenated literals count as one. Interpolations are shown as `…`, and line breaks as spaces.
/// Comments and SQL statements are ignored.
struct SwiftLiterals {
    private let source: [Character]
    private var index = 0
    private var literals: [String] = []

    /// Returns the messages in order of appearance.
    static func sentences(in source: String) -> [String] {
        var reader = SwiftLiterals(source: Array(source))
        reader.readCode(untilParenthesis: false)
        return reader.literals.map { literal in
            literal.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }.filter { $0.contains(" ") && isSentence($0) }
    }

    private init(source: [Character]) {
        self.source = source
    }

    private static func isSentence(_ text: String) -> Bool {
        let statements = [
            "ALTER", "AND", "BEGIN", "CASE", "CREATE", "DELETE", "DROP", "EXISTS", "FROM", "INSERT",
            "LIMIT", "ORDER", "PRAGMA", "RELEASE", "ROLLBACK", "SAVEPOINT", "SELECT", "UPDATE",
            "WHERE", "WITH",
        ]
        let words = text.drop { $0 == "(" }.split(separator: " ")
        guard let first = words.first, !statements.contains(String(first)),
            !text.contains(/NULLS? ?|SELECT | [=>] \?|json_array\(|ifnull\(/),
            !text.contains(/[a-z]\/[ni]:[a-z]/)  // The paths of the data API.
        else { return false }
        return text.matches(of: /[A-Za-z]{2,}/).count > 1
    }

    private func starts(with text: String) -> Bool {
        source[index...].starts(with: text)
    }

    /// Reads to the end, or to the parenthesis that closes an interpolation.
    private mutating func readCode(untilParenthesis: Bool) {
        var depth = 0
        while index < source.count {
            if starts(with: "//") {
                while index < source.count, !source[index].isNewline { index += 1 }
            } else if starts(with: "/*") {
                while index < source.count, !starts(with: "*/") { index += 1 }
                index += 2
            } else if let hashes = hashesOfLiteral() {
                readLiterals(hashes)
            } else {
                if source[index] == "(" { depth += 1 }
                if source[index] == ")" { depth -= 1 }
                index += 1
                if untilParenthesis, depth < 0 { return }
            }
        }
    }

    /// The number of `#` before a literal at this position, or `nil` if there is no literal.
    private func hashesOfLiteral() -> Int? {
        let hashes = source[index...].prefix { $0 == "#" }.count
        let quote = index + hashes
        return quote < source.count && source[quote] == "\"" ? hashes : nil
    }

    /// Reads literals joined with `+` as one.
    private mutating func readLiterals(_ hashes: Int) {
        let place = literals.count
        literals.append("")
        var text = readLiteral(hashes)
        while true {
            let end = index
            while index < source.count, source[index].isWhitespace { index += 1 }
            guard index < source.count, source[index] == "+" else {
                index = end
                break
            }
            index += 1
            while index < source.count, source[index].isWhitespace { index += 1 }
            guard index < source.count, let hashes = hashesOfLiteral() else {
                index = end
                break
            }
            text += readLiteral(hashes)
        }
        literals[place] = text
    }

    private mutating func readLiteral(_ hashes: Int) -> String {
        index += hashes
        let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        index += quotes.count
        let marks = String(repeating: "#", count: hashes)
        var text = ""
        while index < source.count, !starts(with: quotes + marks) {
            guard starts(with: "\\" + marks) else {
                text.append(source[index])
                index += 1
                continue
            }
            index += 1 + hashes
            text += readEscape()
        }
        index += quotes.count + hashes
        return text
    }

    /// Reads the rest of an escape sequence, after its backslash.
    private mutating func readEscape() -> String {
        guard index < source.count else { return "" }
        let character = source[index]
        index += 1
        switch character {
        case "(":
            readCode(untilParenthesis: true)
            return "…"
        case "u":
            let digits = source[index...].dropFirst().prefix { $0 != "}" }
            index += digits.count + 2
            return Unicode.Scalar(UInt32(String(digits), radix: 16) ?? 0x20).map { String($0) }
                ?? ""
        case "n", "r", "t", "0": return " "
        case _ where character.isWhitespace:
            while index < source.count, source[index].isWhitespace { index += 1 }
            return ""
        default: return String(character)
        }
    }
}
