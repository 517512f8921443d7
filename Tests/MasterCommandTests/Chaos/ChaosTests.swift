import FoundationEssentials
import Subprocess
import Testing

/// Accepted reports arrive, even if the master is killed and whatever the receiver does.
///
/// The variable `BUILDMASTER_CHAOS_ROUNDS` sets the number of rounds; `.ci/chaos` runs 1,000.
@Suite(.timeLimit(.minutes(120)))
struct ChaosTests {
    private static let rounds =
        ProcessInfo.processInfo.environment["BUILDMASTER_CHAOS_ROUNDS"].flatMap { Int($0) } ?? 25

    /// A file with short builds and a reporter with short retry intervals.
    private static func file(_ port: Int) -> String {
        """
        services:
          - reporters.HttpStatusPush:
              serverUrl: http://127.0.0.1:\(port)/status
              timeout: 2
              retry: {backoff: 200ms, maxBackoff: 1s}
        steps:
          - steps.SetProperty: {property: a, value: b}
          - steps.ShellCommand: sleep 0.1
          - steps.SetProperty: {property: c, value: d}
        builders:
          - {name: one}
          - {name: two}
          - {name: three}
          - {name: four, steps: []}
        """
    }

    @Test func `every start and end arrives in order through kills and outages`() async throws {
        let receiver = try await ChaosReceiver()
        let file = Self.file(receiver.port)
        try await Program.inFolder(["master.yaml": file]) { program in
            let tally = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await receiver.run() }
                let tally = try await Self.kill(program)
                group.cancelAll()
                try await group.waitForAll()
                return tally
            }
            try receiver.recover()
            let store = try ChaosStore(basedir: program.folder + "/.buildmaster")
            try await Self.finish(program, store)
            await receiver.disappear()

            let builds = try store.builds()
            let arrivals = receiver.arrivals
            print(
                "chaos: \(Self.rounds) rounds, \(tally.kills) kills, \(tally.busy) of them while a "
                    + "build ran or a delivery was open, \(tally.suspected) of them while a report "
                    + "was made alone; \(builds.count) builds, "
                    + "\(arrivals.count) requests, \(arrivals.count { $0.isTaken }) taken")
            #expect(arrivals.faults(expecting: builds) == [])
            #expect(receiver.unreadable == 0)
            #expect(try store.count("dead") == 0)
            #expect(tally.busy * 10 >= Self.rounds * 7)
        }
    }

    private struct Tally {
        var kills = 0
        var busy = 0
        var suspected = 0
    }

    /// Repeatedly starts builds and kills the master.
    private static func kill(_ program: Program) async throws -> Tally {
        var tally = Tally()
        for _ in 0..<rounds {
            let ended = try await program.run(["run", "--jobs", "3", "--drain", "5s"]) { running in
                // A random moment between before the store is opened and well into the deliveries.
                try await Task.sleep(for: .milliseconds(.random(in: 0...900)))
                try running.send(.kill)
            }
            guard ended.status == -9 else {
                #expect(ended.status == 0, "\(ended.output)\(ended.error)")
                continue
            }
            tally.kills += 1
            let basedir = program.folder + "/.buildmaster"
            guard FileManager.default.fileExists(atPath: basedir + "/buildmaster.sqlite") else {
                continue
            }
            let store = try ChaosStore(basedir: basedir)
            if try store.wasBusy() { tally.busy += 1 }
            if try store.wasSuspected() { tally.suspected += 1 }
        }
        return tally
    }

    /// Runs until all remaining reports have been delivered.
    private static func finish(_ program: Program, _ store: ChaosStore) async throws {
        for _ in 0..<5 {
            let ended = try await program.run("run", "--drain", "60s")
            #expect(ended.status == 0, "\(ended.output)\(ended.error)")
            guard try store.count("open") > 0 else { return }
        }
    }
}
