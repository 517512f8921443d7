import MasterKit
import Testing

struct PropertiesTests {
    @Test func `a value that is too large, or nests too deep, is refused, and nothing changes`()
        throws
    {
        var properties = Properties()
        try properties.setBounded("a", "old", source: "s")
        let large = JSONValue.string(String(repeating: "x", count: Properties.maximumValueSize))
        try properties.setBounded("large", large, source: "s")
        let deep = (0..<101).reduce(JSONValue.null) { value, _ in [value] }
        let doubled = (0..<40).reduce(JSONValue.null) { value, _ in [value, value] }
        for (value, words) in [
            ([large, "x"], "is larger than 1 MiB"), (deep, "nests deeper than 100 levels"),
            (doubled, "has more than 250000 values"),
        ] as [(JSONValue, String)] {
            let error = #expect(throws: JSONTooLarge.self) {
                try properties.setBounded("a", value, source: "s")
            }
            #expect(
                error?.description
                    == "the value of the property 'a' \(words); keep large data in a file")
        }
        #expect(properties["a"] == "old")
    }

    @Test func `all properties together are bounded`() throws {
        var properties = Properties()
        let large = JSONValue.string(String(repeating: "x", count: Properties.maximumValueSize - 9))
        for index in 0..<4 { try properties.setBounded("p\(index)", large, source: "s") }
        let error = #expect(throws: JSONTooLarge.self) {
            try properties.setBounded("p4", large, source: "s")
        }
        #expect(
            error?.description
                == "the properties of a build have at most 4 MiB together; keep large data in a file"
        )
        #expect(properties["p4"] == nil)
        try properties.setBounded("p3", "small", source: "s")
        try properties.setBounded("p4", "small", source: "s")
    }

    @Test func `a later value replaces an earlier one at its place`() {
        var properties = Properties(["a": 1, "b": 2], source: "first")
        properties.set("a", "x", source: "second")
        properties.set("c", .null, source: "second")
        #expect(properties["a"] == "x")
        #expect(properties["c"] == .null)
        #expect(properties["d"] == nil)
        #expect(properties.values == ["a": "x", "b": 2, "c": .null])
        #expect(properties.values.map { $0.key } == ["a", "b", "c"])
    }

    @Test func `of merged properties the other ones win`() {
        var properties = Properties(["a": 1, "b": 2], source: "first")
        properties.merge(Properties(["b": 3, "c": 4], source: "other"))
        #expect(
            properties.json == [
                "a": [1, "first"], "b": [3, "other"], "c": [4, "other"],
            ])
    }

    @Test func `the form of the data API is read back`() {
        var properties = Properties(["a": [1, ["b": 1.10]]], source: "one")
        properties.set("", "", source: "")
        #expect(Properties(json: properties.json) == properties)
    }

    @Test func `pairs of another shape are left out`() {
        let json: JSONObject = [
            "a": 1, "b": [1], "c": [1, 2], "d": [1, "s", 3], "e": .null, "f": [1, "s"],
        ]
        #expect(Properties(json: json) == Properties(["f": 1], source: "s"))
    }
}
