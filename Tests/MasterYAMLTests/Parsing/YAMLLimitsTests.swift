import Testing

@testable import MasterYAML

struct YAMLLimitsTests {
    private func message(_ text: String) -> String {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.root == nil)
        #expect(output.diagnostics.count == 1)
        return output.diagnostics.first?.message ?? ""
    }

    @Test func `a billion laughs are refused before they are many`() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let items = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(items)]\n"
        }
        let file = SourceFile(name: "m.yaml", text: text)
        var composer = Composer(file: file)
        let outcome = EventReader.reading(file.bytes) { composer.compose($0) }
        guard case .refused = outcome else {
            Issue.record("the file was not refused")
            return
        }
        #expect(composer.nodeCount < 200)
        #expect(message(text).contains("aliases"))
    }

    @Test func `merge keys cannot be used as a bomb`() throws {
        let base = (0..<1000).map { "k\($0): v" }.joined(separator: ", ")
        let uses = (0..<1000).map { "m\($0): {<<: *x}\n" }.joined()
        #expect(message("x: &x {\(base)}\n\(uses)").contains("aliases"))
    }

    @Test func `many aliases to small values are fine`() {
        let uses = (0..<20_000).map { "m\($0): *x\n" }.joined()
        let output = YAMLParser.parse("x: &x {a: 1}\n\(uses)", name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
    }

    @Test(arguments: [
        ("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""),
    ])
    func `absurd depth is refused`(open: String, close: String) throws {
        let text = String(repeating: open, count: 100_000)
        #expect(message(text).contains("deeper than 200"))
    }

    @Test(arguments: [(200, true), (201, false)])
    func `depth up to 200 is fine`(depth: Int, isFine: Bool) {
        let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty == isFine)
        #expect((output.root != nil) == isFine)
    }

    @Test func `depth in blocks is counted as in brackets`() throws {
        let text = (0..<300).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(message(text).contains("deeper than 200"))
    }

    @Test func `too many values are refused`() throws {
        let text = "[" + String(repeating: "a,", count: YAMLParser.maximumNodeCount) + "]"
        #expect(message(text).contains("values"))
    }

    @Test func `too many bytes are refused`() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: YAMLParser.maximumSize + 1)
        let output = YAMLParser.parse(bytes: bytes, name: "m.yaml")
        #expect(output.diagnostics.map(\.message) == ["the file is larger than 16 MiB"])
    }

    @Test func `too many directives are refused`() throws {
        let text = (0..<1000).map { "%TAG !a\($0)! tag:x,2026:\n" }.joined() + "---\na: 1\n"
        #expect(message(text).contains("'%'"))
    }

    @Test func `of many mistakes the first hundred are shown and the rest is counted`() {
        let text = (0..<300).map { _ in "a: 1\n" }.joined()
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.count == 101)
        #expect(output.diagnostics.last?.message == "199 more mistakes are not shown")
        #expect(output.root?.mapping?.entries.count == 1)
    }

    @Test(arguments: ["*a", "!T a", "a: 1", "a:b", "!!int x", "{{ x }}", "<<: a", "&a x"])
    func `a long line with many mistakes has few diagnostics`(item: String) {
        let text = "{" + (0..<20_000).map { _ in item + ", " }.joined() + "}"
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.count <= 101)
        #expect(output.diagnostics.allSatisfy { $0.rendered().utf8.count < 2000 })
    }

    @Test func `that a limit was passed is said even after many mistakes`() {
        let mistakes = String(repeating: "a: 1, ", count: 200)
        let depth = String(repeating: "[", count: 300)
        let output = YAMLParser.parse("- {\(mistakes)}\n- \(depth)", name: "m.yaml")
        #expect(output.root == nil)
        #expect(output.diagnostics.contains { $0.message.contains("deeper than 200") })
        #expect(output.diagnostics.count == 101)
    }
}

/// Arbitrary bytes never crash the parser; the result is a document or an error.
struct HostileInputTests {
    private static let text = """
        # a file with a bit of everything
        title: Hello\tworld   # comment
        "quoted": 'it''s'
        x-base: &base {a: 1, b: [x, "y\\u00e4\\n", ~]}
        services:
          - reporters.HttpStatusPush:
              <<: *base
              serverUrl: !Interpolate "http://%(prop:host)s/"
          - !!str plain
            text over lines
        steps:
        - steps.POST: {url: "é€😀", when: !Not [!Equal [a, b]]}
        - literal: |-
            one
              two
        - folded: >+

            three
            four

        ? [complex, key]
        : value
        ...

        """

    private func check(_ bytes: some Collection<UInt8>) {
        let output = YAMLParser.parse(bytes: Array(bytes), name: "m.yaml")
        if output.root == nil { #expect(output.hasErrors) }
        for diagnostic in output.diagnostics {
            #expect(!diagnostic.rendered().isEmpty)
            #expect(!diagnostic.message.isEmpty)
        }
        if let root = output.root { visit(root) }
    }

    private func visit(_ node: YAMLNode) {
        switch node.kind {
        case .scalar(let scalar):
            let count = scalar.value.utf8.count
            #expect(node.range(ofUTF8: count / 2..<count) != nil)
            #expect(node.trailingComment?.isEmpty != true)
        case .sequence(let items):
            for item in items { visit(item) }
        case .mapping(let mapping):
            for entry in mapping.entries {
                visit(entry.key)
                visit(entry.value)
            }
        }
    }

    @Test func `the text itself is fine`() {
        #expect(YAMLParser.parse(Self.text, name: "m.yaml").diagnostics.isEmpty)
    }

    @Test func `a file that ends at any byte`() {
        let bytes = Array(Self.text.utf8)
        for end in bytes.indices { check(bytes[..<end]) }
    }

    @Test func `a file that begins at any byte`() {
        let bytes = Array(Self.text.utf8)
        for start in bytes.indices { check(bytes[start...]) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a file with some bytes changed`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<400 {
            var bytes = Array(Self.text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            check(bytes)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a file with some characters of YAML put in or taken out`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let characters = Array("[]{},:#&*!|>'\"%@`-?~ \n\t\r<.\\".utf8)
        for _ in 0..<400 {
            var bytes = Array(Self.text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: bytes.indices, using: &random)
                if Bool.random(using: &random) {
                    let index = Int.random(in: characters.indices, using: &random)
                    bytes.insert(characters[index], at: place)
                } else {
                    bytes.remove(at: place)
                }
            }
            check(bytes)
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a heap of characters of YAML`(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        let characters = Array("ab[]{},:#&*!|>'\"%@`-? \n\t\r<\\1é".unicodeScalars)
        for _ in 0..<1000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                text.append(characters[Int.random(in: characters.indices, using: &random)])
            }
            check(Array(String(text).utf8))
        }
    }
}

/// A random number generator with the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
