import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct CompileTests {
    private static let output = "echo 'a.c:1: warning: unused'; echo fine; echo 'WARNING: x' >&2"

    @Test(arguments: [(3, 5), (.max - 2, .max), (.max, 2)])
    func `warnings are counted, logged and added to a property`(
        _ before: Int, _ after: Int
    ) async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                Compile.self, "command: \(JSONValue.string(Self.output))",
                properties: ["warnings-count": .int(before)])
            #expect(results == .warnings)
            #expect(harness.summary == "2 warnings")
            #expect(harness.properties["warnings-count"] == .int(after))
            let lines = try #require(harness.log("warnings (2)")).lines
            #expect(Set(lines) == ["oa.c:1: warning: unused", "oWARNING: x"])
        }
    }

    @Test(arguments: [
        ("warningPattern: fine", Results.warnings, "1 warning"),
        ("warningPattern: null", .success, "'echo 'a.c:1: ...'"),
        ("maxWarnCount: 1", .failure, "2 warnings, limit 1"),
        ("maxWarnCount: 2", .warnings, "2 warnings"),
    ])
    func `what is a warning, and how many are too many, can be said`(
        _ more: String, _ expected: Results, _ text: String
    ) async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(
                Compile.self, "{command: \(JSONValue.string(Self.output)), \(more)}")
            #expect(results == expected)
            #expect(harness.summary == text)
        }
    }

    @Test func `a failure says the command and its exit code`() async throws {
        try await StepFolder.with { folder in
            try folder.write("all:\n\texit 3\n", to: "work/build/Makefile")
            let (results, harness) = try await folder.run(Compile.self, "{}")
            #expect(results == .failure)
            #expect(harness.summary == "'make all': exit 2")
        }
    }

    @Test func `a failure ends the build unless it is said otherwise`() {
        #expect(Compile.options.haltOnFailure.constant == true)
        #expect(Configure.options.haltOnFailure.constant == true)
    }
}
