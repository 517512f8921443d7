import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct SetPropertyTests {
    private static let values: [(String, JSONValue)] = [
        ("text", "text"), ("1.10", 1.1), ("true", true), ("null", nil),
        ("[1, {a: b}]", [1, ["a": "b"]]), ("'5'", "5"), ("!Property other", ["x": 1]),
        ("!Interpolate 'v%(prop:n)s'", "v7"),
    ]

    @Test(arguments: values)
    func `a property takes any value with its type`(
        _ value: String, _ expected: JSONValue
    ) async throws {
        let harness = try StepHarness(properties: ["other": ["x": 1], "n": 7])
        let step = try SetProperty.configured(yaml: "{property: p, value: \(value)}")

        #expect(try await harness.run(step, name: "set p") == .success)
        #expect(harness.properties.json["p"] == [expected, "set p"])
        #expect(harness.summary == "property 'p' set")
    }

    @Test func `the name may be rendered`() async throws {
        let harness = try StepHarness(properties: ["which": "version"])
        let step = try SetProperty.configured(yaml: "{property: !Property which, value: 1}")

        _ = try await harness.run(step)
        #expect(harness.properties["version"] == 1)
    }
}
