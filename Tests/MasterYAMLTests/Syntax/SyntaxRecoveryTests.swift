import Testing

@testable import MasterYAML

struct SyntaxRecoveryTests {
    @Test func `a value with a mistake is a placeholder and its neighbours are read`() throws {
        let output = YAMLParser.parse("a: @x\nb: [1, *.c, 2]\nc: 3\n", name: "m.yaml")
        let root = try #require(output.root?.mapping)
        #expect(output.diagnostics.count == 2)
        #expect(root["a"]?.isPlaceholder == true)
        #expect(root["b"]?.sequence?.map(\.isPlaceholder) == [false, true, false])
        #expect(root["c"]?.isPlaceholder == false)
        #expect(root["c"]?.resolved == .int(3))
    }

    @Test func `an unknown alias is a placeholder`() {
        let output = YAMLParser.parse("a: *x\n", name: "m.yaml")
        #expect(output.root?.mapping?["a"]?.isPlaceholder == true)
    }

    @Test func `a mapping that is a template is a placeholder`() {
        let output = YAMLParser.parse("a: {{ x }}\n", name: "m.yaml")
        #expect(output.root?.mapping?["a"]?.isPlaceholder == true)
    }

    @Test func `two tags leave a placeholder`() {
        let output = YAMLParser.parse("a: !Not !Equal [b, c]\n", name: "m.yaml")
        #expect(output.root?.mapping?["a"]?.isPlaceholder == true)
    }

    @Test func `there is no document when a section had to be left out`() {
        let output = YAMLParser.parse("a: [1\nb: 2\n", name: "m.yaml")
        #expect(output.root == nil)
        #expect(output.diagnostics.count == 1)
    }

    @Test func `an alias whose anchor was left out is not reported`() {
        let output = YAMLParser.parse("a: &x [1\nb: *x\n", name: "m.yaml")
        #expect(output.diagnostics.count == 1)
    }

    @Test func `settings below a value with a mistake cause no further diagnostics`() {
        let text = "steps:\n  - steps.A: echo a: b\n      c: 1\n    d: 2\nx: @y\n"
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.map { $0.range?.start.line } == [2, 5])
    }

    @Test func `the number of problems is bounded`() {
        let text = (0..<1000).map { "k\($0): @x\n" }.joined()
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect((1...100).contains(output.diagnostics.count))
        #expect(output.root == nil)
    }

    @Test(arguments: [
        ("a: %(prop:x)s", "!Interpolate \"%(prop:x)s\""),
        ("a: !Interpolate %(prop:x)s", "\"%(prop:x)s\""),
        ("a: echo \"b\": c", #""echo \"b\": c""#),
        ("a: *.swift", "\"*.swift\""),
        ("a: {b:c}", "b: c"),
        ("a: 'it's'", "\"it's\""),
        ("a: \"b\" c", "'\"b\" c'"),
        ("a: [b] c", "\"[b] c\""),
        ("x: 1\na:b\n", "a: b"),
        ("a: *b", "\"*b\""),
    ])
    func `the replacement of a fix makes the file right`(text: String, replacement: String) throws {
        let diagnostics = YAMLParser.parse(text, name: "m.yaml").diagnostics
        #expect(diagnostics.count == 1)
        let fix = try #require(diagnostics.first?.fix)
        let range = try #require(fix.range)
        #expect(fix.replacement == replacement)
        let bytes = Array(text.utf8)
        let fixed = bytes[..<range.start.offset] + replacement.utf8 + bytes[range.end.offset...]
        #expect(YAMLParser.parse(bytes: Array(fixed), name: "m.yaml").diagnostics.isEmpty)
    }
}
