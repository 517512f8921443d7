import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What programs on a stock worker leave running.
@Suite(.timeLimit(.minutes(2)))
struct LeftProcessesTests {
    private static let file = """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: w1, password: "a:b"}
        builders:
          - name: one
            steps:
              - steps.ShellCommand:
                  command: "sleep 1000 & echo begun; exit 5"
                  flunkOnFailure: false
                  haltOnFailure: false
              - steps.ShellCommand: "sleep 7; echo slept"
        """

    @Test func `a process that holds the output of an exited program open is ended, others not`()
        async throws
    {
        try await StockWorkerTests.with(Self.file) { master, folder, port in
            try await StockWorkerTests.working("w1", port: port, in: folder, for: master) {
                let submission = try await master.submit(
                    BuildsetRequest(builders: ["one"], reason: "test"))
                let build = try #require(try await master.wait(for: submission).first)
                #expect(build.build.results == .success, "\(build.build.stateString)")
                #expect(build.steps.first?.stateString.contains("exit 5") == true)
                let logs = try build.logs.sorted { $0.key < $1.key }.map { _, paths in
                    try paths.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
                }
                #expect(logs.first?.contains("obegun\n") == true)
                #expect(
                    logs.first?.contains("ended 1 process that the command left running: sleep (")
                        == true, "\(logs)")
                #expect(logs.last?.contains("oslept\n") == true)
                #expect(logs.last?.contains("left running") == false)
            }
        }
    }
}
