import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What becomes of requests that need one that is cancelled, and of builds that are made again.
@Suite(.timeLimit(.minutes(1)))
struct CancellingTests {
    private static let needing = """
        protocols: {msgpack: 0}
        workers: [workers.Worker: {name: away, password: secret}, workers.Local: {name: here}]
        builders:
          - {name: one, workernames: [away], steps: []}
          - {name: two, workernames: [here], needs: one, steps: []}
        """

    @Test(arguments: [true, false])
    func `what needs a request that is cancelled is skipped at once`(
        _ isOfBuilder: Bool
    ) async throws {
        try await MasterBench.with(Self.needing) { bench in
            try await bench.run(resumes: true) { master in
                let submission = try await master.submit(BuildsetRequest(reason: "test"))
                // Until nothing else looks at the queue.
                try await Task.sleep(for: .milliseconds(100))
                if isOfBuilder {
                    await master.cancelRequests(of: "one", reason: "enough")
                } else {
                    await master.stop(request: submission.requestIDs[0], reason: "enough")
                }
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.builder) == ["two"])
                #expect(builds.map(\.build.results) == [.skipped])
            }
        }
    }

    @Test func `a build that was triggered is made again with its own properties`() async throws {
        let yaml = """
            schedulers:
              - schedulers.SingleBranchScheduler: {name: main, branch: main, builderNames: [one]}
            builders:
              - name: one
                steps:
                  - steps.Trigger:
                      builderNames: [two]
                      waitForFinish: true
                      set_properties: {p: trigger}
              - {name: two, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "main", master)
                try await master.events.withSubscription(to: [.buildFinished], bound: 9) { events in
                    try await master.addChange(
                        ChangeSchedulerTests.change(properties: ["p": "change", "q": "change"]))
                    var found: [[JSONValue]] = []
                    for await case .event(let build) in events where build.builderName == "two" {
                        found.append([build.property("p") ?? .null, build.property("q") ?? .null])
                        if found.count == 2 { break }
                        _ = try await master.rebuild(try #require(build.buildID))
                    }
                    #expect(found == [["trigger", .null], ["trigger", .null]])
                }
            }
        }
    }
}
