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
