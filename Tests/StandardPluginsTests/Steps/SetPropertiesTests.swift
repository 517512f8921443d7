import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct SetPropertiesTests {
    @Test func `several properties are set`() async throws {
        let harness = try StepHarness(properties: ["p": "x"])
        let step = try SetProperties.configured(
            yaml: "properties: {a: 1.10, b: !Property p, c: [true, null]}")
        #expect(try await harness.run(step) == .success)
        #expect(harness.properties["a"]?.numberValue?.spelling == "1.10")
        #expect(harness.properties["b"] == "x")
        #expect(harness.properties["c"] == [true, nil])
        #expect(harness.summary == "3 properties set")
    }

    @Test(arguments: ["{a: 1, '': 2}", "{a: !Property p, '': 2}"])
    func `a name that no property can have is an error`(_ properties: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try SetProperties.configured(yaml: "properties: \(properties)")
        }
        #expect(
            error?.diagnostics.map(\.message) == [
                "a name in 'properties' of steps.SetProperties must have 1 to 256 characters"
            ])
    }

    @Test func `a computed name that no property can have ends the step, and none is set`()
        async throws
    {
        let harness = try StepHarness(properties: ["p": ""])
        let step = try SetProperties.configured(yaml: "properties: {a: 1, !Property p : 2}")
        await #expect(throws: RenderError.self) { try await harness.run(step) }
        #expect(harness.properties["a"] == nil)
    }
}
