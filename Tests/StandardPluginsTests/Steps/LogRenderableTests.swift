import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct LogRenderableTests {
    @Test func `a value is logged as it is now, and secrets are not`() async throws {
        let harness = try StepHarness(
            properties: ["p": [1, "two"]], secrets: ["token": "hunter2!"])
        let step = try LogRenderable.configured(
            yaml: "content: {p: !Property p, s: !Secret token}")
        #expect(try await harness.run(step) == .success)
        let content = try #require(harness.log("output")?.content)
        #expect(content.contains(#""two""#))
        #expect(content.contains("<token>"))
        #expect(!content.contains("hunter2"))
    }

    @Test func `a text is logged without quotes`() async throws {
        let harness = try StepHarness()
        #expect(
            try await harness.run(try LogRenderable.configured(yaml: "content: a \"b\""))
                == .success)
        #expect(harness.log("output")?.content == "oa \"b\"\n")
    }
}
