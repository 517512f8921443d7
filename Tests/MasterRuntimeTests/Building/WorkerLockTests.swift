import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Locks of which each worker has units of its own.
@Suite(.timeLimit(.minutes(2)))
struct WorkerLockTests {
    private static let top = """
        locks: {disk: {maxCount: 2, scope: worker}}
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: w1, password: secret, max_builds: 9}
          - workers.Worker: {name: w2, password: secret, max_builds: 9}

        """

    private func connect(to master: Master, _ names: [String] = ["w1", "w2"]) async throws {
        for name in names {
            let worker = ScriptedWorker(name: name) { _ in .exit(0) }
            let ticket = await master.workerConnected(
                ConnectedWorker(worker, basedir: "/srv/\(name)"))
            #expect(ticket != nil)
        }
    }

    @Test(arguments: [
        ("locks: [disk], steps: [steps.Play: $hold]", 1),
        ("locks: [{disk: counting}], steps: [steps.Play: $hold]", 2),
        ("steps: [steps.Play: {script: $hold, locks: [disk]}]", 1),
        ("steps: [steps.Play: {script: $hold, locks: [{disk: counting}]}]", 2),
    ])
    func `each worker admits as many builds, and both are used`(
        _ builder: String, _ limit: Int
    ) async throws {
        let names = (1...8).map { "b\($0)" }
        let builders = names.map { "  - {name: \($0), \(builder)}" }
        let running = ["w1": ConcurrencyCount(), "w2": ConcurrencyCount()]
        let begun = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "hold": { context in
                let worker = context.properties["workername"]?.text ?? ""
                await running[worker]?.counting {
                    begun.add(worker)
                    // With locks of the master, no more would ever begin.
                    await begun.wait(for: 2 * limit)
                    for _ in 1...50 { await Task.yield() }
                }
                return .success
            }
        ]
        let yaml = Self.top + "builders:\n" + builders.joined(separator: "\n")
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await connect(to: master)
                let builds = try await master.build(names)
                #expect(builds.map(\.build.results) == names.map { _ in .success })
            }
        }
        #expect(running.mapValues(\.most) == ["w1": limit, "w2": limit])
    }

    @Test func `a builder waits for one worker, and takes another one that is free before`()
        async throws
    {
        let yaml =
            Self.top + """
                builders:
                  - {name: a, locks: [disk], workernames: [w1], steps: [steps.Play: $hold]}
                  - {name: b, locks: [disk], steps: [steps.Play: $note]}
                """
        let (begun, gate, noted) = (Journal<Void>(), Journal<Void>(), Journal<String>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                begun.add(())
                await gate.wait(for: 1)
                return .success
            },
            "note": { context in
                noted.add(context.properties["workername"]?.text ?? "")
                return .success
            },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await connect(to: master, ["w1"])
                async let held = master.build(["a"])
                await begun.wait(for: 1)
                async let other = master.build(["b"])
                while master.activity(listing: 9).waiting.first?.reason != "lock 'disk'" {
                    await Task.yield()
                }
                try await connect(to: master, ["w2"])
                await noted.wait(for: 1)
                gate.add(())
                let builds = try await held + other
                #expect(builds.map(\.build.results) == [.success, .success])
                #expect(noted.entries == ["w2"])
            }
        }
    }

    @Test func `a build that waits for one which needs its lock on the same worker ends`()
        async throws
    {
        let yaml =
            Self.top + """
                schedulers: [schedulers.Triggerable: {name: pack, builderNames: [b]}]
                builders:
                  - name: a
                    locks: [disk]
                    workernames: [w1]
                    steps:
                      - steps.Trigger:
                          schedulerNames: [!Interpolate "%(prop:which:-pack)s"]
                          waitForFinish: true
                  - {name: b, locks: [disk], workernames: [w1], steps: []}
                """
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await connect(to: master)
                let builds = try await master.build(["a"])
                #expect(builds.map(\.build.results) == [.failure])
                let state = builds.first?.steps.first?.stateString ?? ""
                #expect(state.contains("deadlock: 'a' waits for 'b' waits for 'a'"), "\(state)")
            }
        }
    }

    @Test func `a build goes before a builder that waits for the build that triggered it`()
        async throws
    {
        let yaml =
            Self.top + """
                builders:
                  - name: parent
                    locks: [{disk: counting}]
                    workernames: [w1]
                    steps:
                      - steps.Play: $hold
                      - steps.Trigger: {builderNames: [child], waitForFinish: true}
                  - {name: child, locks: [{disk: counting}], workernames: [w1], steps: []}
                  - {name: other, locks: [disk], steps: []}
                """
        let (begun, gate) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                begun.add(())
                await gate.wait(for: 1)
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(resumes: true) { master in
                try await connect(to: master, ["w1"])
                async let parent = master.build(["parent"])
                await begun.wait(for: 1)
                async let other = master.build(["other"])
                while master.activity(listing: 9).waiting.first?.reason != "lock 'disk'" {
                    await Task.yield()
                }
                gate.add(())
                let builds = try await parent + other
                #expect(builds.map(\.build.results) == builds.map { _ in .success })
            }
        }
    }

    @Test func `the locks of the only worker are those of the master`() async throws {
        let yaml = """
            locks: {disk: {scope: worker}}
            builders: [{name: a, steps: []}]
            """
        try await MasterBench.with(yaml) { bench in
            let locks = try bench.configuration().locks
            #expect(locks == ["disk": LockLimit(maxCount: 1, isPerWorker: false)])
        }
        try await MasterBench.with(Self.top + "builders: [{name: a, steps: []}]") { bench in
            let locks = try bench.configuration().locks
            #expect(locks == ["disk": LockLimit(maxCount: 2, isPerWorker: true)])
        }
    }
}
