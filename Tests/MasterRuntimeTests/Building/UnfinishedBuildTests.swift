import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Builds left unfinished by a master.
struct UnfinishedBuildTests {
    @Test func `they end as exception and their reporters hear of it`() async throws {
        try await withLoopbackServer { server in
            let yaml = """
                services: [reporters.HttpStatusPush: "\(server.url)/status"]
                steps: [steps.Give: success]
                """
            try await MasterBench.with(yaml) { bench in
                try await crash(in: bench)
                let build = try await bench.run { master in
                    let builds = try await master.build()
                    _ = try await master.drain(for: .seconds(10))
                    return builds[0].build
                }
                #expect(build.number == 2)
                let reports = server.requests.compactMap { $0.json }
                let ends = reports.filter { $0["complete"] == true }
                #expect(
                    ends.map { $0["state_string"] } == [
                        "exception (master stopped)", "build successful",
                    ])
                #expect(ends[0]["results"] == 4)
                #expect(ends[0]["number"] == 1)
                #expect(ends[0]["buildrequest"]?["complete"] == true)
            }
        }
    }

    @Test func `a master that stays up logs that the last one was killed`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            try await bench.run(resumes: true) { _ in }
            #expect(bench.messages.texts(at: .warning).isEmpty)
        }
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            try await crash(in: bench)
            try await bench.run(resumes: true) { _ in }
            #expect(
                bench.messages.texts(at: .warning).last
                    == "the last master was killed or crashed during 1 build")
        }
    }

    @Test func `requests that no build has begun are cancelled`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            try await crash(in: bench)
            let count = try await bench.run { master in
                try await master.environment.store.read { database in
                    try BuildRequest.pending(in: database).count
                }
            }
            #expect(count == 0)
        }
    }

    @Test func `the log of a program that went on after its step is ended, too`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            try await crash(in: bench)
            let logs = try await bench.run { master in
                try await master.environment.store.read { try Log.all(ofStep: 1, in: $0) }
            }
            #expect(logs.map(\.isComplete) == [true])
            #expect(logs.map(\.lineCount) == [3])
        }
    }

    /// Leaves a store with a build in the middle of a step and another request.
    private func crash(in bench: MasterBench) async throws {
        let store = try await Store.open(folder: bench.basedir)
        store.storeEvents(of: [.buildNew, .buildFinished])
        _ = try await store.write { transaction in
            let row = try transaction.builder(named: "default", description: nil, tags: [])
            let worker = try transaction.worker(named: "local")
            let buildset = Buildset(id: 0, reason: "test", submittedAt: transaction.now)
            let submission = try transaction.submit(
                buildset, builders: [row, row], properties: Properties())
            let build = try transaction.claim(
                submission.requests[0].id, builder: row, workerID: worker)
            try transaction.announce(build)
            let server = try transaction.newStep(buildID: build.id, number: 1, name: "server")
            try transaction.newLog(
                id: 1, stepID: server.id, name: "stdio", slug: "stdio", kind: .stream)
            try transaction.finishStep(server.id, results: .success, stateString: "ready")
            try transaction.newStep(buildID: build.id, number: 2, name: "compile")
        }
        let log =
            bench.basedir + "/"
            + LogFile.path(
                builder: "default", build: 1, step: (1, "server"), slug: "stdio")
        let folder = String(log.prefix(upTo: log.lastIndex(of: "/") ?? log.endIndex))
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("oone\notwo\n".utf8).write(to: URL(filePath: log))
        await store.close()
    }
}
