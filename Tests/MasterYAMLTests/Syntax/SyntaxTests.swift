import FoundationEssentials
import Testing

@testable import MasterYAML

/// Parses each `NAME.yaml` in `Fixtures` and compares the diagnostics with `NAME.expected`.
struct SyntaxFixtureTests {
    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    private static func names(withExtension suffix: String) throws -> Set<String> {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Set(files.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) })
    }

    @Test func `every fixture has its expectation`() throws {
        let inputs = try Self.names(withExtension: ".yaml")
        #expect(inputs.count > 40)
        let expectations = try Self.names(withExtension: ".expected")
        #expect(inputs == expectations)
    }

    @Test(arguments: try names(withExtension: ".yaml").sorted())
    func `a fixture gives the expected diagnostics`(name: String) throws {
        let path = Self.folder.appending(path: "\(name).yaml").path
        let output = YAMLParser.parse(contentsOf: path, name: "\(name).yaml")
        let text = output.diagnostics.map { $0.rendered() + "\n" }.joined()
        let expected = try Data(contentsOf: Self.folder.appending(path: "\(name).expected"))
        #expect(text == String(decoding: expected, as: UTF8.self))
        #expect(output.root != nil || output.hasErrors)
    }

    @Test(arguments: try names(withExtension: ".yaml").sorted())
    func `no message is in libyaml's words`(name: String) {
        let path = Self.folder.appending(path: "\(name).yaml").path
        for diagnostic in YAMLParser.parse(contentsOf: path).diagnostics {
            #expect(!diagnostic.message.contains("did not find"))
            #expect(!diagnostic.message.contains("while"))
            #expect(!diagnostic.message.contains("<block"))
            #expect(!diagnostic.message.contains("YAML does not allow this here"))
        }
    }
}

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

    @Test func `a text with an unknown tag is a placeholder, a list or mapping is read`() {
        let output = YAMLParser.parse("a: !!foo x\nb: !!foo [1, @]\n", name: "m.yaml")
        #expect(output.root?.mapping?["a"]?.isPlaceholder == true)
        #expect(output.root?.mapping?["b"]?.sequence?.map(\.isPlaceholder) == [false, true])
        #expect(output.diagnostics.map { $0.range?.start.column } == [4, 4, 14])
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
