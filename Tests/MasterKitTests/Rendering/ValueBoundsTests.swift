import MasterKit
import Testing

/// The size of rendered values is bounded while they are computed.
struct ValueBoundsTests {
    private func error(_ yaml: String, _ property: JSONValue = nil) throws -> String? {
        let reading = Reading(yaml, as: Renderable<JSONValue>.self)
        let value = try #require(reading.value, "\(reading.messages)")
        var context = RenderContext()
        context.properties.set("s", property, source: "test")
        context.template = ["s": property]
        do {
            _ = try value.render(in: context)
            return nil
        } catch {
            return error.description
        }
    }

    private static let wide: JSONValue = .array(Array(repeating: 1, count: 1000))
    private static let long: JSONValue = .string(String(repeating: "x", count: 1 << 20))
    private static let deep = (0..<100).reduce(JSONValue.null) { value, _ in [value] }

    private static func many(_ item: String, _ count: Int) -> String {
        "[" + Array(repeating: item, count: count).joined(separator: ", ") + "]"
    }

    @Test(arguments: [
        ("[!Property s]", deep, "the value nests deeper than 100 levels"),
        ("{a: {b: !Property s}}", deep, "the value nests deeper than 100 levels"),
        ("!FlattenList [[{a: !Property s}]]", deep, "the value nests deeper than 100 levels"),
        (many("!Property s", 300), wide, "the value has more than 250000 values"),
        (
            "!FlattenList " + many("!Property s", 300), wide,
            "the list has more than 250000 values"
        ),
        (many("!Property s", 17), long, "the value is larger than 16 MiB"),
        (many("!Interpolate '%(prop:s)s'", 17), long, "the value is larger than 16 MiB"),
        (
            "!Interpolate '\(String(repeating: "%(prop:s)s", count: 18))'", long,
            "the text that %(…)s makes is longer than 16 MiB"
        ),
        (
            "!Template '{{ [\(String(repeating: "s, ", count: 17))] | json }}'", long,
            "the list is larger than 16 MiB"
        ),
        (
            "!Template '{{ [\(String(repeating: "s, ", count: 120))] }}'",
            .array(Array(repeating: wide, count: 10)), "the list has more than 250000 values"
        ),
    ])
    func `what is too large or too deep is an error with its line`(
        _ yaml: String, _ property: JSONValue, _ words: String
    ) throws {
        #expect(try error(yaml, property) == "line 1: \(words)")
    }

    @Test func `what fits is made`() throws {
        #expect(try error("!Property s", Self.deep) == nil)
        #expect(try error(Self.many("!Property s", 200), Self.wide) == nil)
        #expect(try error(Self.many("!Property s", 15), Self.long) == nil)
    }

    @Test(arguments: [
        (String(repeating: "[", count: 101) + String(repeating: "]", count: 101), 101),
        (
            String(repeating: "[", count: 101) + "!Property x" + String(repeating: "]", count: 101),
            101
        ),
        (String(repeating: "{a: ", count: 101) + "1" + String(repeating: "}", count: 101), 401),
    ])
    func `a value of a file that nests too deep is told at its place`(_ yaml: String, _ column: Int)
    {
        for reading in [
            Reading(yaml, as: Renderable<JSONValue>.self).places,
            Reading(yaml, as: DeferredValue.self).places,
        ] {
            #expect(reading == ["1:\(column): 'it' nests deeper than 100 levels; use fewer"])
        }
    }

    @Test(arguments: [
        "!Not [", "!All [", "!Any [", "!FlattenList [", "!Equal [1, !Not [", "!Interpolate ['%s', ",
    ])
    func `expressions nest to a bound`(_ opening: String) {
        let depth = opening.count { $0 == "!" }
        let closing = String(repeating: "]", count: opening.count { $0 == "[" })
        for (count, fits) in [(31 / depth, true), (32, false), (90, false)] {
            let yaml =
                String(repeating: opening, count: count) + "!Property x"
                + String(repeating: closing, count: count)
            let reading = Reading(yaml, as: Renderable<JSONValue>.self)
            #expect((reading.value != nil) == fits)
            #expect(reading.messages.count == (fits ? 0 : 1))
            #expect(
                reading.messages.allSatisfy {
                    $0.hasPrefix("expressions nest deeper than 32 levels")
                })
        }
    }
}
