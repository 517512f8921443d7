import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What becomes of the requests of builders that a file no longer has.
@Suite(.timeLimit(.minutes(1)))
struct RemovedBuilderTests {
    private static let one = "  - {name: one, steps: [steps.Play: $hang]}\n"
    private static let two = "  - {name: two, steps: [steps.Give: success]}\n"
    private static let three = "  - {name: three, needs: two, steps: [steps.Give: success]}\n"

    /// A script that hangs until it may go on.
    private static func hanging(
        _ begun: Journal<Void>, _ gate: Journal<Void>
    ) -> [String: Scripts.Script] {
        [
            "hang": { _ in
                begun.add(())
                await gate.wait(for: 1)
                return .success
            }
        ]
    }

    @Test func `pending ones are cancelled, and what needs them is skipped`() async throws {
        let (begun, gate) = (Journal<Void>(), Journal<Void>())
        let yaml = "builders:\n\(Self.one)\(Self.two)\(Self.three)"
        try await MasterBench.with(yaml, scripts: Self.hanging(begun, gate)) { bench in
            try await bench.run(slots: 1, resumes: true) { master in
                async let first = master.build(["one"])
                await begun.wait(for: 1)
                let request = BuildsetRequest(builders: ["two", "three"], reason: "test")
                let submission = try await master.submit(request)
                let changes = try await bench.reconfigure(
                    master,
                    "builders:\n\(Self.one)"
                        + Self.three.replacing("needs: two, ", with: ""))
                #expect(changes.cancelledRequests == ["two": 1])
                gate.add(())
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.outline) == [["skipped: skipped ('two' was cancelled)"]])
                #expect(try await first.map(\.build.results) == [.success])
                let ended = try await master.environment.store.read { database in
                    try BuildRequest.find(submission.requests[0].id, in: database)
                }
                #expect(ended?.results == .cancelled)
            }
            #expect(
                bench.messages.texts.contains(
                    "cancelled 1 build request: master.yaml no longer has the builder 'two'"))
        }
    }

    @Test func `a step that waits for one goes on`() async throws {
        let (begun, gate) = (Journal<Void>(), Journal<Void>())
        let all = """
              - name: all
                steps: [steps.Trigger: {builderNames: one, waitForFinish: true}]

            """
        let yaml = "builders:\n\(all)\(Self.one)"
        try await MasterBench.with(yaml, scripts: Self.hanging(begun, gate)) { bench in
            try await bench.run(slots: 2) { master in
                async let busy = master.build(["one"])
                await begun.wait(for: 1)
                try await master.events.withSubscription(
                    to: [.buildrequestNew], bound: 10
                ) { events in
                    async let builds = master.build(["all"])
                    var count = 0
                    for await case .event(_) in events {
                        count += 1
                        if count == 2 { break }
                    }
                    try await bench.reconfigure(master, "builders:\n\(Self.two)")
                    let build = try #require(try await builds.first)
                    #expect(build.build.results == .cancelled)
                    #expect(
                        try bench.log("builds", of: build)
                            == "oone: cancelled: cancelled (master.yaml no longer has the builder "
                            + "'one')\n")
                }
                gate.add(())
                // The build that had begun goes on.
                #expect(try await busy.map(\.build.results) == [.success])
            }
        }
    }

    @Test func `those that an earlier master left are cancelled, too`() async throws {
        let begun = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                begun.add(())
                try await neverEnd()
                return .success
            }
        ]
        let yaml = "builders:\n\(Self.one)\(Self.two)"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let id = try await bench.run(slots: 1, resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait(for: 1)
                let pending = try await master.submit(
                    BuildsetRequest(builders: ["two"], reason: "test"))
                return pending.requests[0].id
            }
            try bench.write("builders:\n\(Self.one)")
            let ended = try await bench.run(resumes: true) { master in
                try await master.environment.store.read { try BuildRequest.find(id, in: $0) }
            }
            #expect(ended?.results == .cancelled)
            #expect(
                bench.messages.texts.contains(
                    "cancelled 1 build request: master.yaml no longer has the builder 'two'"))
        }
    }
}
