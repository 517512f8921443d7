import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Changes whose properties are too large for a build.
@Suite(.timeLimit(.minutes(1)))
struct LargeChangeTests {
    private static let yaml = """
        schedulers:
          - schedulers.SingleBranchScheduler: {name: s, branch: main, builderNames: [one]}
        builders:
          - {name: one, properties: {own: \(String(repeating: "x", count: 500_000))}, steps: []}
        """

    @Test func `one does not keep its scheduler from those that follow`() async throws {
        try await MasterBench.with(Self.yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "s", master)
                var properties = JSONObject()
                for name in ["a", "b", "c", "d"] {
                    properties[name] = .string(String(repeating: "x", count: 1_000_000))
                }
                try await master.addChange(
                    ChangeSchedulerTests.change("main", "large", properties: properties))
                let last = try await master.addChange(ChangeSchedulerTests.change("main", "small"))
                try await ChangeSchedulerTests.wait(for: last.id, by: "s", master)
                #expect(try await ChangeSchedulerTests.built(master) == [[last.id]])
            }
            #expect(
                bench.messages.texts.contains {
                    $0.hasPrefix("s leaves out a build of the changes with the ids 1: ")
                },
                "\(bench.messages.texts)")
        }
    }
}
