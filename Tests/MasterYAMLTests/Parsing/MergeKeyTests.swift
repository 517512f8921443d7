import Testing

@testable import MasterYAML

struct MergeKeyTests {
    private func pairs(_ text: String, of key: String = "m") throws -> [String] {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        let mapping = try #require(output.root?.mapping?[key]?.mapping)
        return mapping.entries.map {
            "\($0.key.scalar?.value ?? "?")=\($0.value.scalar?.value ?? "?")"
        }
    }

    @Test func `a merge key adds the pairs of a mapping where it stands`() throws {
        let text = "x: &x {a: 1, b: 2}\nm: {z: 0, <<: *x, c: 3}\n"
        #expect(try pairs(text) == ["z=0", "a=1", "b=2", "c=3"])
    }

    @Test func `explicit keys win, before and after`() throws {
        let text = "x: &x {a: 1, b: 2}\nm: {a: 9, <<: *x, b: 8}\n"
        #expect(try pairs(text) == ["a=9", "b=8"])
    }

    @Test func `of several mappings the earlier one wins`() throws {
        let text = "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nm: {<<: [*x, *y]}\n"
        #expect(try pairs(text) == ["a=1", "b=2"])
    }

    @Test func `a merged mapping may have merged others`() throws {
        let text = "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nm:\n  <<: *y\n  c: 3\n"
        #expect(try pairs(text) == ["a=1", "b=2", "c=3"])
    }

    @Test func `a quoted merge key is an ordinary key`() throws {
        #expect(try pairs("m: {\"<<\": x}\n") == ["<<=x"])
    }

    @Test func `merged pairs keep the places where they are written`() throws {
        let output = YAMLParser.parse("x: &x {a: 1}\nm: {<<: *x}\n", name: "m.yaml")
        let key = try #require(output.root?.mapping?["m"]?.mapping?.entry(for: "a")?.key)
        #expect(key.range?.start.line == 1)
    }
}
