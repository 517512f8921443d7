import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MasterShellCommandTests {
    @Test func `a command runs in the folder of the configuration`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(MasterShellCommand.self, "pwd")
            #expect(results == .success)
            #expect(harness.log("stdio")?.lines.contains("o\(folder.path)") == true)
        }
    }

    @Test func `a command that fails says how`() async throws {
        try await StepFolder.with { folder in
            let (results, harness) = try await folder.run(MasterShellCommand.self, "exit 3")
            #expect(results == .failure)
            #expect(harness.summary == "'exit 3': exit 3")
        }
    }
}
