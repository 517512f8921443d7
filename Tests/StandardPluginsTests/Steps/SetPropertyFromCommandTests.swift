import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct SetPropertyFromCommandTests {
    private func run(_ yaml: String) async throws -> (results: Results, harness: StepHarness) {
        let harness = try StepHarness(worker: LocalWorker(root: "/"), workdir: "/tmp")
        let step = try SetPropertyFromCommand.configured(yaml: yaml)
        return (try await harness.run(step), harness)
    }

    @Test(arguments: [
        ("printf '  a b\\n\\n'", "", "a b"),
        ("printf '  a b\\n\\n'", ", strip: false", "  a b\n\n"),
        ("echo out; echo err >&2", "", "out"),
        ("true", "", ""),
    ])
    func `a property takes what the command prints`(
        _ command: String, _ more: String, _ expected: String
    ) async throws {
        let quoted = JSONValue.string(command)
        let (results, harness) = try await run("{property: p, command: \(quoted)\(more)}")

        #expect(results == .success)
        #expect(harness.properties["p"] == .string(expected))
        #expect(harness.summary == "property 'p' set")
    }

    @Test func `a command that fails sets nothing`() async throws {
        let (results, harness) = try await run("{property: p, command: 'echo x; exit 1'}")

        #expect(results == .failure)
        #expect(harness.properties["p"] == nil)
        #expect(harness.summary == "'echo x; ...': exit 1")
    }

    @Test func `a command that ends with warnings sets the property`() async throws {
        let (results, harness) = try await run(
            "{property: p, command: 'echo x; exit 3', decodeRC: {0: success, 3: warnings}}")

        #expect(results == .warnings)
        #expect(harness.properties["p"] == "x")
    }

    @Test(arguments: ["printf x7; echo x7 >&2", "head -c 2000000 /dev/zero; echo x7 >&2"])
    func `standard error is not shown when the secret can't be hidden`(
        _ command: String
    ) async throws {
        let (results, harness) = try await run(
            "{property: p, command: \(JSONValue.string(command)), secret: true}")

        #expect(results == .failure)
        let log = try #require(harness.log("stdio")?.content)
        #expect(!log.contains("ex7"), "\(log)")
        #expect(log.contains("standard error is not shown either"))
    }

    @Test func `too much output is a failure that says so`() async throws {
        let (results, harness) = try await run(
            "{property: p, command: 'head -c 2000000 /dev/zero | tr \"\\0\" x'}")

        #expect(results == .failure)
        #expect(harness.properties["p"] == nil)
        #expect(harness.log("property")?.content.contains("1048576 bytes") == true)
    }
}
