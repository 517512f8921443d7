import MasterYAML
import Testing

struct YAMLNodeTests {
    @Test func `a node built in code equals the parsed one`() throws {
        let text = "name: \"a\"\nlist: [1, true, null, 1.5]\nwhen: !Not [!Property \"x\"]\n"
        let built = YAMLNode([
            "name": YAMLNode("a"),
            "list": YAMLNode([YAMLNode(1), YAMLNode(true), .null, YAMLNode(1.5)]),
            "when": YAMLNode(
                [YAMLNode("x", tag: YAMLTag(local: "Property"))], tag: YAMLTag(local: "Not")),
        ])
        let parsed = try #require(YAMLParser.parse(text, name: "m.yaml").root)
        #expect(parsed.mapping?["list"] == built.mapping?["list"])
        #expect(parsed.mapping?["when"] == built.mapping?["when"])
        #expect(parsed.mapping?["name"] == built.mapping?["name"])
        #expect(built.range == nil)
        #expect(built.file == nil)
    }

    @Test(arguments: [Double.infinity, -Double.infinity, 0.1, -1e300, 5])
    func `a number built in code resolves to itself`(value: Double) {
        #expect(YAMLNode(value).resolved == .float(value))
    }

    @Test func `text built in code stays text`() {
        #expect(YAMLNode("12").resolved == .string("12"))
        #expect(YAMLNode("").isNull == false)
    }

    @Test func `mappings keep their order and find their keys`() throws {
        let keys = (0..<40).map { "key\(($0 * 7) % 40)" }
        let text = keys.map { "\($0): \($0)!\n" }.joined()
        let mapping = try #require(YAMLParser.parse(text, name: "m.yaml").root?.mapping)
        #expect(mapping.entries.map(\.key.scalar?.value) == keys)
        for key in keys { #expect(mapping[key]?.scalar?.value == key + "!") }
        #expect(mapping["missing"] == nil)
        #expect(mapping.entry(for: "key3")?.key.range?.start.column == 1)
    }

    @Test func `a tagged key is not found by its text`() throws {
        let root = YAMLParser.parse("!Property a: 1\n", name: "m.yaml").root
        #expect(root?.mapping?["a"] == nil)
        #expect(root?.mapping?.entries.first?.key.tag?.name == "Property")
    }

    @Test(arguments: [
        ("!Property x", YAMLTag.Kind.local("Property"), "!Property"),
        ("!!str x", .core(.str), "!!str"),
        ("!<tag:yaml.org,2002:int> 1", .core(.int), "!!int"),
        ("! x", .nonSpecific, "!"),
    ])
    func `tags are told apart`(text: String, kind: YAMLTag.Kind, description: String) throws {
        let tag = try #require(YAMLParser.parse(text, name: "m.yaml").root?.tag)
        #expect(tag.kind == kind)
        #expect(tag.description == description)
        #expect(tag.range?.start.offset == 0)
    }

    @Test(arguments: [
        ("[]", "a list"), ("{}", "a mapping"), ("x", "text"), ("1", "an integer"),
        ("1.5", "a number"), ("true", "a boolean"), ("~", "empty"), ("'1'", "text"),
    ])
    func `kinds have a word for people`(text: String, word: String) {
        #expect(YAMLParser.parse(text, name: "m.yaml").root?.kindDescription == word)
    }

    @Test func `styles are known`() throws {
        let text = "- a\n- 'b'\n- \"c\"\n- |\n  d\n- >\n  e\n- [f]\n-\n  - g\n"
        let items = try #require(YAMLParser.parse(text, name: "m.yaml").root?.sequence)
        #expect(
            items.prefix(5).map(\.scalar?.style)
                == [.plain, .singleQuoted, .doubleQuoted, .literal, .folded]
        )
        #expect(items.suffix(2).map(\.isFlow) == [true, false])
    }
}

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
    func `a comment after plain text is known`(value: String, _: String, comment: String) throws {
        let node = try #require(root("a: \(value)\r\nb: 1\n").mapping?["a"])
        let range = try #require(node.trailingComment)
        #expect(node.file?.text(in: range) == comment)
    }

    @Test(arguments: ["make", "make#all", "\"make\" # all", "|\n  make # all", "[make] # all"])
    func `there is no comment to know`(value: String) throws {
        #expect(try root("a: \(value)\n").mapping?["a"]?.trailingComment == nil)
    }
}
