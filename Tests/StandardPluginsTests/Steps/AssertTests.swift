import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct AssertTests {
    @Test(arguments: [
        ("check: true", Results.success, "condition is true"),
        ("check: !Equal [!Property p, x]", .success, "condition is true"),
        ("check: !Equal [!Property p, y]", .failure, "condition is false"),
        ("{check: false, message: !Interpolate 'p is %(prop:p)s'}", .failure, "p is x"),
    ])
    func `a step fails unless a condition is true`(
        _ yaml: String, _ expected: Results, _ text: String
    ) async throws {
        let harness = try StepHarness(properties: ["p": "x"])
        #expect(try await harness.run(try Assert.configured(yaml: yaml)) == expected)
        #expect(harness.summary == text)
    }

    @Test func `a condition that is neither true nor false is an error`() async throws {
        let harness = try StepHarness(properties: ["p": "x"])
        let step = try Assert.configured(yaml: "check: !Property p")
        await #expect(throws: RenderError.self) { try await harness.run(step) }
    }
}
