import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Which changes and buildsets of another scheduler Dependent looks at.
@Suite(.timeLimit(.minutes(1)))
struct DependentChangesTests {
    private static let yaml = """
        schedulers:
          - schedulers.SingleBranchScheduler: {name: first, branch: main, builderNames: [one]}
          - schedulers.Dependent: {name: second, upstream: first, builderNames: [two]}
        builders:
          - {name: one, steps: [steps.Play: $one]}
          - {name: two, steps: []}
        """

    @Test func `it builds also the changes of requests that were collapsed`() async throws {
        let (begun, release) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "one": { _ in
                begun.add(())
                await release.wait(for: 1)
                return .success
            }
        ]
        try await MasterBench.with(Self.yaml, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.waitForState(of: "second", master)
                try await ChangeSchedulerTests.wait(for: 0, by: "first", master)
                for name in ["a", "b", "c"] {
                    let id = try await master.addChange(ChangeSchedulerTests.change("main", name))
                        .id
                    try await ChangeSchedulerTests.wait(for: id, by: "first", master)
                    await begun.wait(for: 1)
                }
                release.add(())
                while try await built(by: "two", master).last != 3 {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(try await built(by: "two", master) == [1, 2, 3])
            }
        }
    }

    @Test func `of many buildsets only those are read that are new or had not ended`() async throws
    {
        try await MasterBench.with(Self.yaml, scripts: ["one": { _ in .success }]) { bench in
            try await bench.run(resumes: true) { master in
                for name in ["first", "first", "other", "first", "first"] {
                    var request = BuildsetRequest(builders: ["two"], reason: "test")
                    request.properties.set("scheduler", .string(name), source: "Scheduler")
                    _ = try await master.submit(request)
                }
                let host = RunningServiceHost(
                    name: "s", stateName: "schedulers/s", isScheduler: true, master: master,
                    session: master.environment.http.makeSession())
                let found = try await host.buildsets(of: "first", from: 4, and: [2, 3])
                #expect(found.map(\.id) == [2, 4, 5])
            }
        }
    }

    /// The changes for which a builder was to build.
    private func built(by builder: String, _ master: Master) async throws -> [Int] {
        try await master.environment.store.read { database in
            try database.numbers(
                """
                SELECT DISTINCT change_id FROM buildset_change
                JOIN build_request USING (buildset_id) JOIN builder ON builder.id = builder_id
                WHERE name = ? ORDER BY 1
                """, [builder])
        }
    }
}
