import Testing

@testable import MasterYAML

struct AliasTests {
    /// The lines of the aliases shown with an error at the first occurrence of some text.
    private func lines(_ text: String, mistakeAt part: String) throws -> [Int?] {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        let start = try #require(text.firstRange(of: part)).lowerBound
        let offset = text.utf8.distance(from: text.startIndex, to: start)
        let range = output.file.range(ofUTF8: offset..<offset + part.utf8.count)
        let found = output.addingAliases(to: [Diagnostic(.error, "wrong", range: range)])
        return try #require(found.first).notes.map { $0.range?.start.line }
    }

    @Test func `a mistake in a node with an anchor has the places of its aliases`() throws {
        let text = "a: &a\n  - one\n  - two\nb: *a\nc: [*a, 3]\nd: {<<: {e: *a}}\n"
        #expect(try lines(text, mistakeAt: "two") == [4, 5, 6])
        #expect(try lines(text, mistakeAt: "3") == [])
    }

    @Test func `the alias is named as it is written`() throws {
        let output = YAMLParser.parse("a: &a x\nb: *a\n", name: "m.yaml")
        let mistake = Diagnostic(.error, "wrong", at: try #require(output.root?.mapping?["a"]))
        let found = output.addingAliases(to: [mistake]).first
        #expect(found?.notes.map(\.message) == ["used here as '*a'"])
    }

    @Test func `an alias in a node that other aliases repeat leads on to these`() throws {
        let text = "a: &a [x]\nb: &b\n  c: *a\nd: *b\n"
        #expect(try lines(text, mistakeAt: "x") == [3, 4])
    }

    @Test func `an inner anchor comes before an outer one`() throws {
        #expect(try lines("a: &a\n  b: &b x\nc: *a\nd: *b\n", mistakeAt: "x") == [4, 3])
    }

    @Test func `an anchor that is given again is another one`() throws {
        let text = "a: &a x\nb: *a\nc: &a y\nd: *a\n"
        #expect(try lines(text, mistakeAt: "x") == [2])
        #expect(try lines(text, mistakeAt: "y") == [4])
    }

    @Test func `a merge key is the place of an alias`() throws {
        #expect(try lines("a: &a {b: x}\nc:\n  <<: *a\n", mistakeAt: "x") == [3])
    }

    @Test func `of many aliases three are shown`() throws {
        let text = "a: &a x\n" + (0..<100).map { "b\($0): *a\n" }.joined()
        #expect(try lines(text, mistakeAt: "x") == [2, 3, 4, nil])
    }

    @Test func `a mistake that was found once for each alias is kept once`() throws {
        let output = YAMLParser.parse("a: &a x\nb: [*a, *a]\n", name: "m.yaml")
        let node = try #require(output.root?.mapping?["a"])
        let mistake = Diagnostic(.error, "wrong", at: node)
        let other = Diagnostic(.error, "also wrong", at: node)
        let elsewhere = Diagnostic(.error, "elsewhere", file: output.file)
        let found = output.addingAliases(
            to: [mistake, other, mistake, elsewhere, elsewhere])
        #expect(found.map(\.message) == ["wrong", "also wrong", "elsewhere", "elsewhere"])
        #expect(found.map(\.notes.count) == [2, 2, 0, 0])
    }

    @Test func `many anchors, aliases and mistakes are quick`() throws {
        let count = 20_000
        let text =
            (0..<count).map { "k\($0): &k\($0) x\n" }.joined()
            + (0..<count).map { "l\($0): [*k\($0), *k0]\n" }.joined()
        let output = YAMLParser.parse(text, name: "m.yaml")
        let nodes = try #require(output.root?.mapping).entries.prefix(count).map(\.value)
        let mistakes = nodes.map { Diagnostic(.error, "wrong", at: $0) }
        let start = ContinuousClock.now
        let found = output.addingAliases(to: mistakes)
        #expect(found.map(\.notes.count) == [4] + Array(repeating: 1, count: count - 1))
        #expect(ContinuousClock.now - start < .seconds(10))
    }
}
