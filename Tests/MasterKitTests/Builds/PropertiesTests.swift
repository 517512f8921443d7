import MasterKit
import Testing

struct PropertiesTests {
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
