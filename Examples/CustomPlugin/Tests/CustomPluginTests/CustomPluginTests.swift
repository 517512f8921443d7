import MasterKit
import MasterTesting
import Testing

@testable import CustomPlugin

struct CustomPluginTests {
    @Test func `the room keeps the promises of reporters`() async throws {
        try await ReporterContract(ChatRoom.self) { ["url": "\($0)/room"] }.verify()
    }

    @Test func `the lines are counted`() async throws {
        try await withTemporaryFolder { folder in
            let step = try CountLines.configured("echo one; echo two")
            let harness = try StepHarness(worker: folder.localWorker, workdir: folder.path)
            #expect(try await harness.run(step) == .success)
            #expect(harness.properties["lines"] == 2)
        }
    }
}
