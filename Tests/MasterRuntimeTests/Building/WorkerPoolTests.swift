import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime

extension WorkerPool {
    /// Reserves a slot of the best worker.
    fileprivate func lease(
        for builder: String, among names: [String]?, _ choice: WorkerChoice = .leastLoaded
    ) -> Lease? {
        free(for: builder, among: names, choice).first.flatMap { lease(for: builder, on: $0) }
    }
}

/// Which worker gets a build, and what happens to builds when workers come and go.
@Suite(.timeLimit(.minutes(1)))
struct WorkerPoolTests {
    private static func pool(_ names: String..., slots: Int = 2) -> WorkerPool {
        let pool = WorkerPool()
        pool.follow(
            zip(1..., names).map { .init(id: $0, name: $1, slots: slots) }, paused: [:])
        for name in names { _ = pool.connect(ConnectedWorker(ScriptedWorker(name: name))) }
        return pool
    }

    @Test func `the worker with the fewest builds for its slots gets the next one`() {
        let pool = Self.pool("a", "b")
        let names = ["x", "y", "z"].map { pool.lease(for: $0, among: nil)?.worker.name }
        #expect(names == ["a", "b", "a"])
    }

    @Test func `the first free worker of the builder's list is taken if that is wanted`() {
        let pool = Self.pool("a", "b")
        let names = ["x", "y", "z"].map { pool.lease(for: $0, among: ["b", "a"], .first) }
        #expect(names.map { $0?.worker.name } == ["b", "b", "a"])
        #expect(Self.pool("a", "b").lease(for: "x", among: nil, .first)?.worker.name == "a")
    }

    @Test func `any of the workers is taken if that is wanted`() throws {
        let pool = Self.pool("a", "b")
        var names: Set<String> = []
        for _ in 1...100 {
            let lease = try #require(pool.lease(for: "x", among: nil, .random))
            names.insert(lease.worker.name)
            pool.release(lease)
        }
        #expect(names == ["a", "b"])
    }

    @Test func `workers are listed in the order of the file, also after it has changed`() {
        let pool = Self.pool("a", "b")
        pool.follow(
            [
                .init(id: 3, name: "c", slots: 1), .init(id: 2, name: "b", slots: 1),
                .init(id: 1, name: "a", slots: 1),
            ], paused: [2: "new disk"])
        #expect(pool.states.map(\.name) == ["c", "b", "a"])
        #expect(pool.states.map(\.isPaused) == [false, true, false])
        #expect(pool.absence(of: ["b", "c"]) == "'c' is not connected, 'b' is paused")
        #expect(pool.absence(of: ["b", "a"]) == nil)
    }

    private static let pausable = """
        protocols: {msgpack: 0}
        workers: [{workers.Local: {name: a}}, {workers.Worker: {name: b, password: secret}}]
        builders:
          - {name: one, workernames: [a], steps: [{steps.SetProperty: {property: p, value: 1}}]}
        """

    @Test func `a worker stays paused until it is resumed, also after a restart`() async throws {
        let yaml = Self.pausable
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await master.pause(worker: "a", reason: "new disk")
                await #expect(throws: ControlError.self) {
                    try await master.pause(worker: "c", reason: "new disk")
                }
            }
            try await bench.run(resumes: true) { master in
                #expect(master.workers.map(\.pauseReason) == ["new disk", nil])
                try await bench.reconfigure(master, yaml + "\ntitle: other\n")
                #expect(master.workers.map(\.isPaused) == [true, false])
                let submission = try await master.submit(
                    BuildsetRequest(builders: ["one"], reason: "test"))
                #expect(master.absences == ["one": "'a' is paused"])
                try await master.resume(worker: "a")
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
            try await bench.run(resumes: true) { master in
                #expect(master.workers.map(\.isPaused) == [false, false])
            }
            // Nobody could resume a worker of a run.
            let builds = try await bench.build(["one"])
            #expect(builds.map(\.build.results) == [.success])
        }
    }

    @Test func `the reason for a pause is cut after its secrets are masked`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            builders:
              - name: one
                steps: [steps.SetProperty: {property: p, value: !Interpolate "%(secret:token)s"}]
            """
        try await MasterBench.with(yaml, plugins: [Vault.self]) { bench in
            try await bench.run(resumes: true) { master in
                let filler = String(repeating: "x", count: 490)
                try await master.pause(worker: "local", reason: filler + "s3cr3t-value and more")
                let reason = try #require(master.workers.first?.pauseReason)
                #expect(reason == filler + "<token> an".prefix(10))
            }
        }
    }

    private static func remote(_ settings: String = "") -> String {
        """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker:
              {name: w1, password: secret, properties: {os: linux, pool: own},
               defaultProperties: {pool: slow, arch: arm}\(settings)}
          - workers.Local: {name: here}
        builders:
          - name: one
            properties: {arch: x86, os: none}
            nextWorker: first
            steps: [{steps.ShellCommand: make}]
        """
    }

    @Test func `a build has the properties of its worker, and its defaults`() async throws {
        try await MasterBench.with(Self.remote()) { bench in
            try await bench.run(resumes: true) { master in
                let worker = ScriptedWorker(name: "w1") { _ in .exit(0) }
                let ticket = await master.workerConnected(
                    ConnectedWorker(worker, basedir: "/srv/w1"))
                #expect(ticket != nil)
                let build = try #require(try await master.build(["one"]).first).build
                #expect(build.properties["os"] == "linux" && build.properties["pool"] == "own")
                #expect(build.properties["arch"] == "x86")
                #expect(build.properties.entries["os"]?.source == "Worker")
                #expect(build.properties["workername"] == "w1")
                #expect(build.properties["builddir"] == "/srv/w1/one")
            }
        }
    }

    @Test func `a build of a worker that is removed is built again on another one`() async throws {
        try await MasterBench.with(Self.remote()) { bench in
            try await bench.run(resumes: true) { master in
                let (begun, gone) = (Signal(), Signal())
                let worker = ScriptedWorker(name: "w1") { command in
                    guard case .shell = command else { return .returns(.nothing) }
                    begun.raise()
                    await gone.wait()
                    return .fails(WorkerLost(worker: "w1", reason: "it was removed"))
                }
                let ticket = try #require(
                    await master.workerConnected(ConnectedWorker(worker, basedir: "/srv/w1")))
                let submission = try await master.submit(
                    BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait()
                try await bench.reconfigure(
                    master,
                    """
                    workers: [{workers.Local: {name: here}}]
                    builders: [{name: one, steps: [{steps.ShellCommand: 'true'}]}]
                    """)
                #expect(master.workers.map(\.name) == ["here"])
                gone.raise()
                await master.workerDisconnected(ticket, reason: "it was removed")
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.retry, .success])
                #expect(builds.last?.build.properties["workername"] == "here")
                let again = await master.workerConnected(ConnectedWorker(worker))
                #expect(again == nil)
            }
        }
    }

    @Test func `a worker is told to exit once its build has ended, and builds nothing meanwhile`()
        async throws
    {
        try await MasterBench.with(Self.remote()) { bench in
            try await bench.run(resumes: true) { master in
                let (begun, goOn, exited) = (Signal(), Signal(), Signal())
                let hasEnded = Mutex(false)
                let worker = ScriptedWorker(name: "w1") { command in
                    guard case .shell = command else { return .returns(.nothing) }
                    begun.raise()
                    await goOn.wait()
                    hasEnded.withLock { $0 = true }
                    return .exit(0)
                }
                _ = await master.workerConnected(
                    ConnectedWorker(worker, basedir: "/srv/w1") {
                        let isOver = hasEnded.withLock { $0 }
                        #expect(isOver)
                        exited.raise()
                    })
                let submission = try await master.submit(
                    BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait()
                try await master.shutDown(worker: "w1")
                #expect(master.workers.first?.isStopping == true)
                await #expect(throws: ControlError.self) {
                    try await master.shutDown(worker: "here")
                }
                goOn.raise()
                await exited.wait()
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }

    @Test func `a worker that stays away is told as missing, once`() async throws {
        try await MasterBench.with(Self.remote(", missing_timeout: 10ms")) { bench in
            try await bench.run(resumes: true) { master in
                try await master.events.withSubscription(
                    to: [.workerConnected, .workerDisconnected, .workerMissing], bound: 100
                ) { events in
                    let worker = ScriptedWorker(name: "w1") { _ in .exit(0) }
                    let ticket = try #require(
                        await master.workerConnected(ConnectedWorker(worker)))
                    await master.workerDisconnected(ticket, reason: "it is gone")
                    var isGone = false
                    for await case .event(let event) in events {
                        #expect(event.record["name"] == "w1")
                        if event.kind == .workerDisconnected { isGone = true }
                        if isGone, event.kind == .workerMissing { break }
                    }
                }
                #expect(bench.messages.texts.contains { $0.contains("has been missing for") })
            }
        }
    }
}
