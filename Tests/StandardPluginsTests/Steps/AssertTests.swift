import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct AssertTests {
    @Test(arguments: [
        ("check: true", Results.success, "condition is true"),
        ("check: !Equal [!Property p, x]", .success, "condition is true"),
        (
            "check: !Equal [!Property p, y]", .failure,
            "assertion failed: !Equal [!Property p, y]: \"x\" is not \"y\""
        ),
        (
            "!NotEqual [!Property p, 'x']", .failure,
            "assertion failed: !NotEqual [!Property p, 'x']: both are \"x\""
        ),
        (
            "!OneOf [!Property {key: p}, [1, z]]", .failure,
            "assertion failed: !OneOf [!Property {key: p}, [1, z]]: \"x\" is not in [1,\"z\"]"
        ),
        (
            "!Matches [!Property p, '^y']", .failure,
            "assertion failed: !Matches [!Property p, '^y']: \"x\" does not match"
        ),
        (
            "!Not [!Any [false, true]]", .failure,
            "assertion failed: !Not [!Any [false, true]]"
        ),
        ("check: false", .failure, "assertion failed: false"),
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
