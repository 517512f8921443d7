import Testing

@testable import MasterYAML

struct DiagnosticRenderingTests {
    /// Renders an error at the first occurrence of a part of a text.
    private func lines(
        _ text: String, at part: String, notes: [Diagnostic.Note] = [],
        fix: Diagnostic.Fix? = nil
    ) throws -> [String] {
        let file = SourceFile(name: "m.yaml", text: text)
        let start = try #require(
            file.bytes.indices.first { file.bytes[$0...].starts(with: part.utf8) })
        let range = file.range(ofUTF8: start..<start + part.utf8.count)
        let diagnostic = Diagnostic(
            .error, "wrong", file: file, range: range, notes: notes, fix: fix)
        return diagnostic.rendered().split(separator: "\n").map(String.init)
    }

    @Test func `the sample of the manual`() throws {
        let text = """
            services:
              - reporters.HttpStatusPush:
                  serverURL: http://127.0.0.1:9980/status
            """
        let file = SourceFile(name: "master.yaml", text: "\n\n\n" + text)
        let key = try #require(
            YAMLParser.parse(file.text, name: file.name).root?.mapping?["services"]?.sequence?
                .first?
                .mapping?.entries.first?.value.mapping?.entries.first?.key
        )
        let diagnostic = Diagnostic(
            .error,
            "reporters.HttpStatusPush has no setting 'serverURL'; did you mean 'serverUrl'?",
            at: key)
        let expected = """
            master.yaml:6:7: error: reporters.HttpStatusPush has no setting 'serverURL'; did you mean 'serverUrl'?
              6 |       serverURL: http://127.0.0.1:9980/status
                |       ^~~~~~~~~
            """
        #expect(diagnostic.rendered() == expected)
    }

    @Test(arguments: [
        ("\ta:\tb", "b", "  1 |     a:  b", "    |         ^"),
        ("x\ty z", "z", "  1 | x   y z", "    |       ^"),
        ("日本: x", "x", "  1 | 日本: x", "    |       ^"),
        ("e\u{301}e: x", "x", "  1 | e\u{301}e: x", "    |     ^"),
        ("日本: x", "日本", "  1 | 日本: x", "    | ^~~~"),
        ("a\u{1B}[0m: x", "x", "  1 | a\\u{1B}[0m: x", "    |             ^"),
        ("a: b\r\nc", "b", "  1 | a: b", "    |    ^"),
        ("a: b\n  c\n", "b\n  c", "  1 | a: b", "    |    ^"),
        ("a: bcd\n  c\n", "bcd\n  c", "  1 | a: bcd", "    |    ^~~"),
        ("a:", "", "  1 | a:", "    | ^"),
    ])
    func `the caret stands below the place`(
        text: String, part: String, source: String, underline: String
    ) throws {
        #expect(try lines(text, at: part).dropFirst() == [source, underline])
    }

    @Test func `an empty range at the end of a line is shown behind it`() {
        let file = SourceFile(name: "m.yaml", text: "abc\n")
        let range = file.range(ofUTF8: 3..<3)
        let text = Diagnostic(.warning, "here", file: file, range: range).rendered()
        #expect(text == "m.yaml:1:4: warning: here\n  1 | abc\n    |    ^")
    }

    @Test(arguments: ["x", "日"])
    func `long lines are cut around the caret`(filler: String) throws {
        let filling = String(repeating: filler, count: 5000)
        let lines = try lines(filling + "HERE" + filling, at: "HERE")
        let shown = lines[1].unicodeScalars.reduce(0) { $0 + $1.columnWidth } - "  1 | ".count
        #expect(shown <= 160)
        #expect(lines[1].contains("…"))
        let before = lines[1].prefix { $0 != "H" }.unicodeScalars.reduce(0) { $0 + $1.columnWidth }
        #expect(lines[2] == "    |" + String(repeating: " ", count: before - 5) + "^~~~")
    }

    @Test func `characters that are shown wider than they are do not hide the caret`() throws {
        let lines = try lines(String(repeating: "\u{1B}", count: 100) + "HERE", at: "HERE")
        #expect(lines[1].hasPrefix("  1 | …\\u{1B}"))
        #expect(lines[1].hasSuffix("\\u{1B}HERE"))
        #expect(lines[2].count == lines[1].count)
        #expect(lines[2].hasSuffix(" ^~~~"))
    }

    @Test func `a long line whose beginning is meant is cut at its end`() throws {
        let lines = try lines("HERE" + String(repeating: "x", count: 500), at: "HERE")
        #expect(lines[1].hasPrefix("  1 | HERExxx"))
        #expect(lines[1].hasSuffix("x…"))
        #expect(lines[1].count == 6 + 160)
    }

    @Test func `notes and fix follow`() throws {
        let file = SourceFile(name: "m.yaml", text: "a: 1\na: 2")
        let note = Diagnostic.Note("first", range: file.range(ofUTF8: 0..<1))
        let fix = Diagnostic.Fix(message: "remove one")
        let lines = try lines(
            "a: 1\na: 2", at: "a: 2", notes: [note, Diagnostic.Note("no place")], fix: fix)
        #expect(
            lines.suffix(5) == [
                "m.yaml:1:1: note: first", "  1 | a: 1", "    | ^", "m.yaml: note: no place",
                "    = fix: remove one",
            ]
        )
    }

    @Test func `without file and place there is only the sentence`() {
        #expect(Diagnostic(.error, "no master").rendered() == "error: no master")
        let file = SourceFile(name: "m.yaml", text: "")
        #expect(Diagnostic(.note, "hm", file: file).rendered() == "m.yaml: note: hm")
    }

    @Test func `control characters in names and messages are escaped`() {
        let file = SourceFile(name: "a\u{1B}b", text: "")
        let text = Diagnostic(.error, "c\nd", file: file).rendered()
        #expect(text == "a\\u{1B}b: error: c\\nd")
    }

    @Test func `a style sees each piece`() {
        let file = SourceFile(name: "m.yaml", text: "abc")
        let range = file.range(ofUTF8: 1..<3)
        let text = Diagnostic(.error, "x", file: file, range: range).rendered { part, text in
            "<\(part == .severity(.error) || part == .underline(.error) ? "!" : "")\(text)>"
        }
        #expect(text == "<m.yaml:1:2:> <!error:> <x>\n<  1 |> <abc>\n<    |>  <!^~>")
    }
}

struct SourceFileTests {
    @Test func `columns in long lines are counted from the start of the line`() {
        let line = String(repeating: "aä€", count: 700)
        let file = SourceFile(name: "m.yaml", text: "x\n\(line)\n\(line)")
        var offset = 2
        for (index, scalar) in line.unicodeScalars.enumerated() {
            let place = SourcePosition(line: 2, column: index + 1, offset: offset)
            #expect(file.position(ofUTF8Offset: offset) == place)
            offset += UTF8.width(scalar)
        }
        #expect(file.position(ofUTF8Offset: .max).column == line.unicodeScalars.count + 1)
        #expect(file.position(ofUTF8Offset: .max).line == 3)
    }

    @Test(arguments: ["a\nbc\n\nd", "a\r\nbc\r\n\r\nd", "a\rbc\r\rd"])
    func `lines end in LF, CRLF or CR`(text: String) {
        let file = SourceFile(name: "m.yaml", text: text)
        #expect((1...file.lineCount).map { file.line($0) } == ["a", "bc", "", "d"])
        #expect(file.line(0) == nil)
        #expect(file.line(5) == nil)
    }

    @Test func `an empty text has one empty line`() {
        let file = SourceFile(name: "m.yaml", text: "")
        #expect(file.lineCount == 1)
        #expect(file.line(1) == "")
        #expect(file.position(ofUTF8Offset: 0) == SourcePosition(line: 1, column: 1, offset: 0))
    }

    @Test(arguments: [
        (-1, 1, 1, 0), (0, 1, 1, 0), (1, 1, 2, 1), (3, 1, 3, 3), (4, 2, 1, 4), (5, 2, 2, 5),
        (99, 2, 2, 5),
    ])
    func `offsets become lines and columns`(asked: Int, line: Int, column: Int, offset: Int) {
        let file = SourceFile(name: "m.yaml", text: "aä\nb")
        let expected = SourcePosition(line: line, column: column, offset: offset)
        #expect(file.position(ofUTF8Offset: asked) == expected)
    }

    @Test func `files are equal by name and text`() {
        let file = SourceFile(name: "a", text: "x")
        #expect(file == SourceFile(name: "a", text: "x"))
        #expect(file != SourceFile(name: "b", text: "x"))
        #expect(file != SourceFile(name: "a", text: "y"))
    }

    @Test func `a range never ends before it starts`() {
        let file = SourceFile(name: "a", text: "xyz")
        let range = SourceRange(
            start: file.position(ofUTF8Offset: 2), end: file.position(ofUTF8Offset: 1))
        #expect(range.isEmpty)
        #expect(file.text(in: range).isEmpty)
    }
}
