import Testing

@testable import MasterYAML

struct YAMLNodeTests {
    @Test func `a node built in code equals the parsed one`() throws {
        let text = "name: \"a\"\nlist: [1, true, null, 1.5]\nwhen: !Not [!Property \"x\"]\n"
        let built = YAMLNode([
            "name": YAMLNode("a"),
            "list": YAMLNode([YAMLNode(1), YAMLNode(true), .null, YAMLNode(1.5)]),
            "when": YAMLNode(
                [YAMLNode("x", tag: YAMLTag(local: "Property"))],
                tag: YAMLTag(local: "Not")
            ),
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
        ("!!python/object x", .global("tag:yaml.org,2002:python/object"), "!!python/object"),
        (
            "!<tag:example.com,2026:x> y", .global("tag:example.com,2026:x"),
            "!<tag:example.com,2026:x>"
        ),
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
