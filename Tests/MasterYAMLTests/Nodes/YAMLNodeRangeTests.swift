import Testing

@testable import MasterYAML

struct YAMLNodeRangeTests {
    private func root(_ text: String) throws -> YAMLNode {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        return try #require(output.root)
    }

    @Test(arguments: [
        ("a: plain   # comment", "plain"),
        ("a: 'single'", "'single'"),
        ("a: \"double\" # c", "\"double\""),
        ("a: !Property name", "!Property name"),
        ("a: &x !Property  name", "&x !Property  name"),
        ("a: [1, 2] # c", "[1, 2]"),
        ("a: !Not [!Equal [b, c]]", "!Not [!Equal [b, c]]"),
        ("a: {b: c}\n\n# end\n", "{b: c}"),
        ("a:\n  b: c   # comment\n\n# end\nz: 1", "b: c"),
        ("a:\n- b\n- c\n# end\nz: 1", "- b\n- c"),
        ("a: |\n  b\n  c\n\n\nz: 1", "|\n  b\n  c"),
        ("a: >-\n  b\n", ">-\n  b"),
        ("a: é \u{1F600} z\nb: 1", "é \u{1F600} z"),
        ("a: one\n  two\nb: 1", "one\n  two"),
        ("a:\nb: 1", ""),
        ("a: !Empty\nb: 1", "!Empty"),
    ])
    func `a value has the range that people see`(text: String, expected: String) throws {
        let node = try #require(root(text).mapping?["a"])
        let range = try #require(node.range)
        #expect(node.file?.text(in: range) == expected)
    }

    @Test func `lines and columns count from one, columns in scalars`() throws {
        let node = try #require(root("x: 1\nä\u{1F600}: b\n").mapping?.entries.last?.value)
        #expect(node.range?.start == SourcePosition(line: 2, column: 5, offset: 13))
        #expect(node.range?.end == SourcePosition(line: 2, column: 6, offset: 14))
    }

    @Test func `content begins after tag and anchor`() throws {
        let node = try #require(root("a: !T &x\n  # why\n  b: c\n").mapping?["a"])
        let range = try #require(node.contentRange)
        #expect(node.file?.text(in: range) == "b: c")
        let tag = try #require(node.tag?.range)
        #expect(node.file?.text(in: tag) == "!T")
        #expect(node.tag?.name == "T")
        #expect(node.anchor == "x")
    }

    @Test func `places are right far behind characters of several bytes`() throws {
        let filler = (0..<500).map { "k\($0): \"ä€\u{1F600}\"\n" }.joined()
        let root = try root(filler + "last: here\n")
        let node = try #require(root.mapping?["last"])
        #expect(node.range?.start.line == 501)
        #expect(node.range?.start.column == 7)
    }

    @Test func `an alias is the node of its anchor`() throws {
        let mapping = try #require(root("a: &x [1]\nb: *x\n").mapping)
        #expect(mapping["a"] === mapping["b"])
        #expect(mapping["b"]?.range?.start.line == 1)
    }

    @Test func `line separators of other alphabets do not shift lines`() throws {
        let node = try #require(root("a: \"x\u{2028}y\u{85}z\"\nb: c\n").mapping?["b"])
        #expect(node.range?.start.line == 2)
        #expect(node.range?.start.column == 4)
    }

    @Test(arguments: [
        ("make # all", " all", "# all"), ("make   #all", "", "#all"), ("make\t# a", "", "# a"),
    ])
    func `a comment after plain text is known`(
        value: String,
        _: String,
        comment: String
    ) throws {
        let node = try #require(root("a: \(value)\r\nb: 1\n").mapping?["a"])
        let range = try #require(node.trailingComment)
        #expect(node.file?.text(in: range) == comment)
    }

    @Test(arguments: ["make", "make#all", "\"make\" # all", "|\n  make # all", "[make] # all"])
    func `there is no comment to know`(value: String) throws {
        #expect(try root("a: \(value)\n").mapping?["a"]?.trailingComment == nil)
    }
}
