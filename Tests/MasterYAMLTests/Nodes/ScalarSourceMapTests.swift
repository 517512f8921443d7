import MasterYAML
import Testing

struct ScalarSourceMapTests {
    /// Returns the source of the first occurrence of a part in the value of `a`.
    private func source(of part: String, in text: String) throws -> String {
        let node = try #require(YAMLParser.parse(text, name: "m.yaml").root?.mapping?["a"])
        let value = try #require(node.scalar?.value)
        let bytes = Array(value.utf8)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: part.utf8) })
        let range = try #require(node.range(ofUTF8: start..<start + part.utf8.count))
        return try #require(node.file?.text(in: range))
    }

    @Test(arguments: [
        ("a: x %(p) y", "%(p)", "%(p)"),
        ("a: !T &b x %(p) y", "%(p)", "%(p)"),
        ("a: ä€ %(p)", "%(p)", "%(p)"),
        ("a: one\n  two %(p)\n\n  three", "%(p)", "%(p)"),
        ("a: one\n  two", "e t", "e\n  t"),
        ("a: one \t\r\n\r\n\r\n  two", "\n\n", "\r\n\r\n"),
    ])
    func `plain text`(text: String, part: String, expected: String) throws {
        #expect(try source(of: part, in: text) == expected)
    }

    @Test(arguments: [
        ("a: 'x %(p)'", "%(p)", "%(p)"),
        ("a: 'it''s %(p)'", "%(p)", "%(p)"),
        ("a: 'it''s'", "'s", "''s"),
        ("a: 'one\n\n   two  \n  %(p) '", "%(p)", "%(p)"),
        ("a: ' '", " ", " "),
    ])
    func `single quotes`(text: String, part: String, expected: String) throws {
        #expect(try source(of: part, in: text) == expected)
    }

    @Test(arguments: [
        (#"a: "x %(p)""#, "%(p)", "%(p)"),
        (#"a: "\t\"\\\u00e4\x41\U0001F600%(p)\n""#, "%(p)", "%(p)"),
        (#"a: "x\u00e4y""#, "ä", #"\u00e4"#),
        (#"a: "x\ty""#, "x\t", #"x\t"#),
        ("a: \"one \\\n   two %(p)\"", "%(p)", "%(p)"),
        ("a: \"one\\ \n  two\"", "one  two", "one\\ \n  two"),
        ("a: \"one\n\n  \\  two %(p)\"", "%(p)", "%(p)"),
        (#"a: "\0\a\b\e\f\v\r\/\_\N\L\P\ .""#, ".", "."),
    ])
    func `double quotes`(text: String, part: String, expected: String) throws {
        #expect(try source(of: part, in: text) == expected)
    }

    @Test(arguments: [
        ("a: |\n  one\n  two %(p)\n", "%(p)", "%(p)"),
        ("a: |\n  one\n  two\n", "e\nt", "e\n  t"),
        ("a: |-  # why\n\n   \n    one\n      two %(p)\n\n\nb: 1", "%(p)", "%(p)"),
        ("a: |+\n  one\n\n  %(p)\n\n\n", "%(p)\n\n\n", "%(p)\n\n\n"),
        ("a: |1\n  one %(p)\n", "%(p)", "%(p)"),
        ("a: |2-\n    one\n  %(p)\n", "%(p)", "%(p)"),
        ("a: !T |\r\n  one\r\n  %(p)\r\nb: 1", "%(p)", "%(p)"),
        ("a: |\n  %(p)", "%(p)", "%(p)"),
        ("b: 1\na: |\n  # no comment\n  %(p)", "%(p)", "%(p)"),
    ])
    func `literal blocks`(text: String, part: String, expected: String) throws {
        #expect(try source(of: part, in: text) == expected)
    }

    @Test(arguments: [
        ("a: >\n  one\n  two %(p)\n", "%(p)", "%(p)"),
        ("a: >\n  one\n  two\n", "e t", "e\n  t"),
        ("a: >-\n  one\n\n  two\n    deep\n  %(p)\n  x\n", "%(p)", "%(p)"),
        ("a: >+\n\n  one\n\n\n  \ttab\n  %(p)\n\n", "%(p)", "%(p)"),
        ("a: >3\n      x\n   one\n   %(p)\n", "%(p)", "%(p)"),
    ])
    func `folded blocks`(text: String, part: String, expected: String) throws {
        #expect(try source(of: part, in: text) == expected)
    }

    @Test func `a value that cannot be followed has the range of its content`() throws {
        let text = "a: !T \"x\u{2028}  y %(p)\"\n"
        #expect(try source(of: "%(p)", in: text) == "\"x\u{2028}  y %(p)\"")
    }

    @Test(arguments: [
        (0..<0, 4..<4), (3..<3, 7..<7), (2..<99, 6..<7), (-5 ..< -1, 4..<4), (50..<60, 7..<7),
    ])
    func `parts outside of the value are moved to its ends`(
        part: Range<Int>, expected: Range<Int>
    ) throws {
        let node = try #require(YAMLParser.parse("a: 'xyz'", name: "m.yaml").root?.mapping?["a"])
        let range = try #require(node.range(ofUTF8: part))
        #expect(range.start.offset..<range.end.offset == expected)
    }

    @Test func `nodes without a source have no places`() {
        #expect(YAMLNode("text").range(ofUTF8: 0..<1) == nil)
        #expect(YAMLNode("text").range == nil)
    }
}
