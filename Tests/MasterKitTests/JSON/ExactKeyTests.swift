import MasterKit
import Testing

/// Names that are equal to Swift but different everywhere else.
struct ExactKeyTests {
    private static let composed = "\u{E9}"
    private static let decomposed = "e\u{301}"

    @Test func `keys of JSON are the same when their scalars are`() throws {
        let text = #"{"\u00e9": 1, "e\u0301": 2, "\u00e9": 3}"#
        let value = try JSONValue(parsing: text)
        #expect(value[Self.composed] == 3)
        #expect(value[Self.decomposed] == 2)
        #expect(value.objectValue?.count == 2)
        #expect(value.objectValue?.keys.map { $0.unicodeScalars.count } == [1, 2])
        #expect(try value.at(pointer: "/\(Self.decomposed)") == 2)
        let one: JSONObject = [Self.composed: 1]
        #expect(one != [Self.decomposed: 1])
        #expect(one.merging([Self.decomposed: 2]).count == 2)
        #expect(one[Self.decomposed] == nil)
    }

    @Test func `marks of the same character in another order make another key`() {
        let object: JSONObject = [
            "a\u{323}\u{307}": 1, "a\u{307}\u{323}": 2, "K": 3, "\u{212A}": 4,
        ]
        #expect(object.values == [1, 2, 3, 4])
    }

    @Test func `a mark behind a slash does not hide it from a pointer`() throws {
        let pointer = try JSONPointer(parsing: "/a/\u{301}b/~0\u{301}")
        #expect(pointer.tokens.count == 3)
        #expect(pointer.tokens.last?.unicodeScalars.first == "~")
    }

    @Test func `properties are told apart by their scalars`() {
        var properties = Properties()
        properties.set(Self.composed, 1, source: "a")
        properties.set(Self.decomposed, 2, source: "b")
        #expect(properties.values.values == [1, 2])
        #expect(Properties(json: properties.json) == properties)
    }

    @Test func `keys of a file are told apart by their scalars`() throws {
        let yaml = "{\(Self.composed): 1, \(Self.decomposed): 2}"
        let reading = Reading(yaml, as: JSONObject.self)
        #expect(reading.messages == [])
        #expect(reading.value?[Self.composed] == 1)
        #expect(reading.value?[Self.decomposed] == 2)
        let computed = "{!Interpolate '\(Self.composed)': 1, !Interpolate '\(Self.decomposed)': 2}"
        #expect(try rendered(computed)?.objectValue?.count == 2)
        let named = "!Interpolate ['%(kw:\(Self.composed))s', \(yaml)]"
        #expect(try rendered(named) == "1")
    }

    @Test func `a key that is really there twice is told`() {
        let reading = Reading("{\(Self.decomposed): 1, \(Self.decomposed): 2}", as: JSONObject.self)
        #expect(reading.messages.count == 1)
        #expect(reading.messages.first?.contains("duplicate key") == true)
    }

    @Test func `a long mapping is searched by scalars, too`() throws {
        let others = (0..<20).map { "k\($0): 0" }.joined(separator: ", ")
        let text = "{\(others), \(Self.composed): 1, \(Self.decomposed): 2}"
        let mapping = try #require(YAMLParser.parse(text, name: "m.yaml").root?.mapping)
        #expect(mapping[Self.composed]?.scalarText == "1")
        #expect(mapping[Self.decomposed]?.scalarText == "2")
    }
}
