import MasterKit
import MasterTesting
import Synchronization
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// Two processes that connect as the same worker.
@Suite(.timeLimit(.minutes(1)))
struct DuplicateWorkerTests {
    private static let file = """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: w1, password: "a:b"}
        builders:
          - {name: one, steps: [steps.ShellCommand: make]}
        """

    /// What a second process gets to read, and the reason why it was disconnected.
    private static func refusal(
        _ bench: WireBench
    ) async throws -> (texts: [String], reason: String?) {
        try await WireWorker.connected(to: bench.port) { second in
            let texts = try await second.rest()
            return (texts, second.reason)
        }
    }

    private static func check(
        _ refusal: (texts: [String], reason: String?), _ bench: WireBench
    ) {
        #expect(refusal.reason == "this worker is already connected")
        #expect(
            refusal.texts == [
                "this worker is already connected, from 127.0.0.1; give each process a worker of "
                    + "its own, or stop one"
            ])
        #expect(
            bench.messages.texts(at: .warning).contains(
                "refused a second process at 127.0.0.1 that connects as the worker 'w1': the one at "
                    + "127.0.0.1 is alive; give each process a worker of its own"))
    }

    @Test func `a second process is refused while the first one is alive, whose build goes on`()
        async throws
    {
        try await WireBench.with(Self.file) { bench in
            let submission = try await bench.submit("one")
            try await WireWorker.connected(to: bench.port) { first in
                let program = try await first.program(basedir: bench.basedir)
                async let refusal = Self.refusal(bench)
                let ping = try #require(try await first.next())
                #expect(ping["message"] == "master got a duplicate connection")
                await first.answer(ping)
                Self.check(try await refusal, bench)
                await first.end(program)
                let builds = try await bench.master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }

    @Test func `a first process that answers nothing gives way, and its build is built again`()
        async throws
    {
        try await WireBench.with(Self.file, duplicateTime: .milliseconds(500)) { bench in
            let submission = try await bench.submit("one")
            try await WireWorker.connected(to: bench.port) { first in
                _ = try await first.program(basedir: bench.basedir)
                try await WireWorker.connected(to: bench.port) { second in
                    await second.end(try await second.program(basedir: bench.basedir))
                    let builds = try await bench.master.wait(for: submission)
                    #expect(builds.map(\.build.results) == [.retry, .success])
                }
                while try await first.next() != nil {}
                #expect(first.reason == "it did not answer a ping")
            }
            #expect(
                bench.messages.texts(at: .warning).contains(
                    "worker 'w1' has disconnected: it did not answer a ping"))
        }
    }

    @Test func `output is a sign of life, behind which the answer may be on a slow network`()
        async throws
    {
        try await WireBench.with(Self.file, duplicateTime: .seconds(1)) { bench in
            let submission = try await bench.submit("one")
            try await WireWorker.connected(to: bench.port) { first in
                let program = try await first.program(basedir: bench.basedir)
                let isRefused = Mutex(false)
                async let refusal = {
                    defer { isRefused.withLock { $0 = true } }
                    return try await Self.refusal(bench)
                }()
                while !isRefused.withLock(\.self) {
                    await first.update(program, [["stdout", ["a\n", [1], [0]]]])
                    try await Task.sleep(for: .milliseconds(10))
                }
                Self.check(try await refusal, bench)
                await first.end(program)
                let builds = try await bench.master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }
}
