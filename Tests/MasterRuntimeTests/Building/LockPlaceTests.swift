import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Whom builders that wait for a lock may keep from it.
@Suite(.timeLimit(.minutes(1)))
struct LockPlaceTests {
    private static let builders = """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: a, password: secret}
          - workers.Local: {name: b, max_builds: 3}
        locks: {db: }
        builders:
          - {name: holder, workernames: [b], locks: db, steps: [steps.Play: $hold]}
          - {name: first, workernames: [a], locks: db, steps: [steps.Play: $go]}
          - {name: second, workernames: [b], locks: db, steps: [steps.Play: $go]}
          - {name: step, workernames: [b], steps: [steps.Play: {script: $go, locks: db}]}
          - name: parent
            workernames: [b]
            steps: [steps.Trigger: {builderNames: [second], waitForFinish: true}]

        """

    private static var worker: ConnectedWorker {
        ConnectedWorker(ScriptedWorker(name: "a") { _ in .exit(0) }, basedir: "/srv/a")
    }

    /// Has the builder `first` wait for the lock that `holder` holds.
    private func run(
        _ body: (Master, WorkerTicket, _ release: Journal<Void>) async throws -> Void
    ) async throws {
        let (held, release) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                held.add(())
                await release.wait(for: 1)
                return .success
            },
            "go": { _ in .success },
        ]
        try await MasterBench.with(Self.builders, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                let ticket = try #require(await master.workerConnected(Self.worker))
                _ = try await master.submitUnattended(
                    BuildsetRequest(builders: ["holder"], reason: "test"))
                await held.wait(for: 1)
                _ = try await master.submitUnattended(
                    BuildsetRequest(builders: ["first"], reason: "test"))
                while !isWaiting("first", master) {
                    await Task.yield()
                }
                try await body(master, ticket, release)
            }
        }
    }

    private func isWaiting(_ builder: String, _ master: Master) -> Bool {
        master.submissions.distributor.waits.contains {
            $0.builder == builder && $0.reason == "lock 'db'"
        }
    }

    @Test(arguments: ["second", "step"])
    func `nobody waits behind a builder whose worker is away`(_ builder: String) async throws {
        try await run { master, ticket, release in
            await master.workerDisconnected(ticket, reason: "broken")
            let next = try await master.submit(
                BuildsetRequest(builders: [builder], reason: "test"))
            release.add(())
            #expect(try await master.wait(for: next).map(\.build.results) == [.success])
            _ = await master.workerConnected(Self.worker)
            let last = try await master.submit(
                BuildsetRequest(builders: ["first"], reason: "test"))
            #expect(try await master.wait(for: last).map(\.build.results) == [.success])
        }
    }

    @Test func `a build that another one waits for does not wait behind what begins no more`()
        async throws
    {
        try await run { master, _, release in
            let parent = try await master.submit(
                BuildsetRequest(builders: ["parent"], reason: "test"))
            while !isWaiting("second", master) {
                await Task.yield()
            }
            async let ended: Void = master.endBuilds(within: .seconds(20))
            while !master.submissions.distributor.isHeld { await Task.yield() }
            release.add(())
            await ended
            #expect(try await master.wait(for: parent).map(\.build.results) == [.success])
        }
    }

    /// A lock is moved from a builder to the one that it waits for.
    @Test func `a new file that lets a build wait for itself ends it`() async throws {
        func yaml(_ parent: String, _ child: String) -> String {
            """
            protocols: {msgpack: 0}
            workers: [workers.Worker: {name: away, password: secret}, workers.Local: {name: here}]
            locks: {db: }
            builders:
              - name: parent
                workernames: [here]
                \(parent)
                steps: [steps.Trigger: {builderNames: [child], waitForFinish: true}]
              - {name: child, workernames: [away], \(child), steps: []}
            """
        }
        let (with, without) = ("locks: db", "description: no lock")
        try await MasterBench.with(yaml(with, without)) { bench in
            try await bench.run(resumes: true) { master in
                let parent = try await master.submit(
                    BuildsetRequest(builders: ["parent"], reason: "test"))
                while !master.submissions.distributor.waits.contains(where: {
                    $0.builder == "child"
                }) {
                    await Task.yield()
                }
                try await bench.reconfigure(master, yaml(without, with))
                let ended = try await master.wait(for: parent)
                #expect(
                    ended.map(\.build.stateString) == [
                        "cancelled (deadlock: 'parent' waits for 'child' waits for 'parent'; let one "
                            + "of them hold no lock while it waits) waiting for child (cancelled)"
                    ])
            }
        }
    }
}
