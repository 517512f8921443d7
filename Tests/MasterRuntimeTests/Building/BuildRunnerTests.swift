import Dispatch
import Logging
import MasterHTTP
import MasterKit
import Testing

@testable import MasterRuntime

/// A single build without a distributor, with a worker of the test or stopped immediately.
struct BuildRunnerTests {
    private static let yaml = """
        steps:
          - steps.Give: {result: success, name: one}
          - steps.Give: {result: success, name: two, alwaysRun: true}
        """

    @Test func `a stop before the first step leaves only those that always run`() async throws {
        let control = BuildControl()
        control.stop("early")
        let build = try await run(control: control)
        #expect(build.outline == ["cancelled: cancelled (early)", "two: finished"])
        #expect(build.notReached == ["one"])
    }

    @Test func `steps that are not reached have the names that they would have got`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: failure, haltOnFailure: true}
              - steps.Give: success
              - steps.Give: {result: success, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.notReached == ["Give_1"])
            #expect(build.steps.map(\.name) == ["Give", "Give_2"])
            #expect(build.steps.map(\.number) == [1, 2])
        }
    }

    @Test func `earlier builds tell how long builds and steps usually take`() async throws {
        let yaml = """
            builders:
              - {name: good, steps: [steps.Give: {result: success, name: one}]}
              - name: bad
                steps:
                  - steps.Give: {result: success, name: one}
                  - steps.Give: {result: failure, name: two}
            """
        try await MasterBench.with(yaml) { bench in
            _ = try await bench.build()
            let times = try await BuildHistory.with(folder: bench.basedir) { history in
                let history = try #require(history)
                return (
                    good: try await history.usualTimes(of: "good"),
                    bad: try await history.usualTimes(of: "bad"),
                    new: try await history.usualTimes(of: "new")
                )
            }
            #expect(times.good.build != nil)
            #expect(times.good.steps.map(\.key) == ["one"])
            #expect(times.bad.build == nil)
            #expect(times.bad.steps.map(\.key) == ["one"])
            #expect(times.new == UsualTimes())
        }
    }

    @Test func `two stops before the first step leave none`() async throws {
        let control = BuildControl()
        control.stop("early")
        control.stop("again")
        let build = try await run(control: control)
        #expect(build.outline == ["cancelled: cancelled (early)"])
    }

    @Test func `a worker that is lost before the first step ends the build as retry`()
        async throws
    {
        let build = try await run(worker: LostWorker())
        #expect(build.outline == ["retry: retry: worker far is lost: no answer"])
        #expect(build.isRetried)
        #expect(build.build.properties["workername"] == "far")
    }

    @Test func `the workers that were lost under earlier masters count`() async throws {
        let build = try await run(worker: LostWorker(), retries: 2)
        #expect(build.build.results == .exception)
        #expect(build.build.stateString.contains("worker lost 3 times"))
        #expect(try await run(worker: LostWorker(), retries: 1).isRetried)
    }

    private func run(
        worker: (any Worker)? = nil, control: BuildControl = BuildControl(), retries: Int = 0
    ) async throws -> FinishedBuild {
        try await MasterBench.with(Self.yaml) { bench in
            let store = try await Store.open(folder: bench.basedir)
            let http = HTTPClient(HTTPClientConfiguration(environment: [:]))
            let worker = worker ?? LocalWorker(root: bench.basedir + "/work")
            let configuration = try bench.configuration()
            let (submission, workerID) = try await store.write { transaction in
                let row = try transaction.builder(named: "default", description: nil, tags: [])
                let buildset = Buildset(id: 0, reason: "test", submittedAt: transaction.now)
                let submission = try transaction.submit(
                    buildset, builders: [row], properties: Properties())
                for _ in 0..<retries { try transaction.noteRetry(of: submission.requests[0].id) }
                return (submission, try transaction.worker(named: worker.name))
            }
            let shared = BuildEnvironment(
                configuration, SecretValues(), store: store, http: http, basedir: bench.basedir,
                logger: Logger(label: "test"))
            let running = RunningConfiguration(shared)
            let distributor = RequestDistributor(
                store: store, pool: WorkerPool(), configuration: running, leavesRequests: false)
            let runner = BuildRunner(
                requestID: submission.requests[0].id, builder: configuration.builders[0],
                lease: WorkerPool.Lease(worker: worker, workerID: workerID, builder: "default"),
                shared: shared, control: control,
                submissions: Submissions(distributor, running, resumesRequests: false))
            let outcome = await Result { try await runner.run() }
            await http.shutdown()
            await store.close()
            return try #require(try outcome.get())
        }
    }
}

/// A worker that never responds.
private struct LostWorker: Worker {
    let name = "far"

    func run(
        _ command: Command, input: CommandInput,
        updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult {
        throw WorkerLost(worker: name, reason: "no answer")
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
