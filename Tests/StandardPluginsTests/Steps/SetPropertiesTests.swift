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

    @Test func `a name that no property can have is a failure, and none is set`() async throws {
        let harness = try StepHarness()
        let step = try SetProperties.configured(yaml: "properties: {a: 1, '': 2}")
        #expect(try await harness.run(step) == .failure)
        #expect(harness.properties["a"] == nil)
        #expect(harness.summary == "'properties' has a name that no property can have")
    }
}
