import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct ConfigureTests {
    @Test func `without a command it runs configure of the source tree`() async throws {
        try await StepFolder.with { folder in
            let missing = try await folder.run(Configure.self, "{}")
            #expect(missing.results == .failure)
            #expect(missing.harness.summary == "'./configure': program not found")
            let (results, harness) = try await folder.run(
                Configure.self, "[sh, -c, 'echo warning: old']")
            #expect(results == .success)
            #expect(harness.summary == "'echo warning: ...'")
        }
    }
}
