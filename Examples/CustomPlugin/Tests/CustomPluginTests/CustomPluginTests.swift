import MasterKit
import MasterTesting
import Testing

@testable import CustomPlugin

struct CustomPluginTests {
    @Test func `the room keeps the promises of reporters`() async throws {
        try await ReporterContract(ChatRoom.self) { ["url": "\($0)/room"] }.verify()
    }

    @Test func `the lines are counted`() async throws {
        let worker = ScriptedWorker(.exit(0, .stdout("one"), .stdout("two")))
        let harness = try StepHarness(worker: worker)
        #expect(try await harness.run(try CountLines.configured("ls")) == .success)
        #expect(harness.properties["lines"] == 2)
    }
}
