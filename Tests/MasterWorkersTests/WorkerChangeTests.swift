import MasterKit
import MasterTesting
import NIOCore
import NIOPosix
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// Changes of the configuration while workers are connected, or awaited.
@Suite(.timeLimit(.minutes(1)))
struct WorkerChangeTests {
    private static func file(
        _ settings: String = "", name: String = "w1", port: String = "0"
    ) -> String {
        """
        protocols: {msgpack: \(port)}
        workers:
          - workers.Worker: {name: \(name), password: "a:b"\(settings)}
        builders:
          - {name: one, steps: [steps.ShellCommand: make]}
          - {name: two, steps: [steps.ShellCommand: make]}
        """
    }

    private static let local = """
        workers:
          - workers.Local: {name: w1}
        builders:
          - {name: one, steps: [steps.ShellCommand: "true"]}
        """

    @Test func `another port takes new connections, and builds go on at the previous one`()
        async throws
    {
        try await WireBench.with(Self.file()) { bench in
            let group = MultiThreadedEventLoopGroup.singleton
            let other = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0)
                .get()
            let (old, new) = (try bench.port, try #require(other.localAddress?.port))
            let submission = try await bench.submit("one")
            try await WireWorker.connected(to: old) { first in
                let program = try await first.program(basedir: bench.basedir)
                let error = await #expect(throws: (any Error).self) {
                    try await bench.reconfigure(Self.file(port: "\(new)"))
                }
                #expect(
                    "\(error as Any)".contains(
                        "the endpoint of workers cannot listen on 127.0.0.1:\(new): the port is in "
                            + "use"))
                #expect(try bench.port == old)
                try await other.close()
                try await bench.reconfigure(Self.file(port: "\(new)"))
                #expect(try bench.port == new)
                // The previous one is closed soon.
                while let channel = try? await ClientBootstrap(group: group)
                    .connect(host: "127.0.0.1", port: old).get()
                {
                    try await channel.close()
                }
                await first.end(program)
                let builds = try await bench.master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
            let move = await #expect(throws: (any Error).self) {
                try await bench.reconfigure(Self.file(port: "0.0.0.0:\(new)"))
            }
            #expect(
                "\(move as Any)".contains(
                    "the endpoint of workers can't move from 127.0.0.1:\(new) to 0.0.0.0:\(new) "
                        + "while the master runs; restart it, or choose another port"))
            let again = try await bench.submit("two")
            try await WireWorker.connected(to: new) { worker in
                await worker.end(try await worker.program(basedir: bench.basedir))
                let builds = try await bench.master.wait(for: again)
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }

    @Test
    func `a worker that is renamed is disconnected, and its build begins again by its new name`()
        async throws
    {
        try await WireBench.with(Self.file()) { bench in
            let submission = try await bench.submit("one")
            try await WireWorker.connected(to: bench.port) { worker in
                _ = try await worker.program(basedir: bench.basedir)
                try await bench.reconfigure(Self.file(name: "w2"))
                while try await worker.next() != nil {}
                #expect(worker.reason == "master.yaml no longer has this worker")
            }
            try await WireWorker.connected(to: bench.port, as: "w2:a:b") { worker in
                await worker.end(try await worker.program(basedir: bench.basedir))
                let builds = try await bench.master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.retry, .success])
                #expect(builds.map { $0.build.properties["workername"] } == ["w1", "w2"])
            }
        }
    }

    @Test func `slots and properties of a connected worker change without another connection`()
        async throws
    {
        try await WireBench.with(Self.file(", properties: {os: a}")) { bench in
            let first = try await bench.submit("one")
            try await WireWorker.connected(to: bench.port) { worker in
                let one = try await worker.program(basedir: bench.basedir)
                let second = try await bench.submit("two")
                try await bench.reconfigure(Self.file(", properties: {os: b}, max_builds: 2"))
                let two = try await worker.program(basedir: bench.basedir)
                await worker.end(one)
                await worker.end(two)
                let builds =
                    try await bench.master.wait(for: first) + bench.master.wait(for: second)
                #expect(builds.map(\.build.results) == [.success, .success])
                #expect(builds.map { $0.build.properties["os"] } == ["a", "b"])
            }
        }
    }

    @Test func `the master's machine takes the name of a worker, and gives it back`() async throws {
        try await WireBench.with(Self.file()) { bench in
            try await WireWorker.connected(to: bench.port) { worker in
                try await worker.attach(basedir: bench.basedir)
                try await WireBench.wait { bench.master.workers.first?.connectedAt != nil }
                try await bench.reconfigure(Self.local)
                while try await worker.next() != nil {}
            }
            try await WireBench.wait { bench.endpoint.connectionCount == 0 }
            let submission = try await bench.submit("one")
            let builds = try await bench.master.wait(for: submission)
            #expect(builds.map(\.build.results) == [.success])
            try await bench.reconfigure(Self.file())
            #expect(bench.master.workers.map { $0.connectedAt == nil } == [true])
        }
    }

    @Test func `another keepalive counts at once, and a silent worker is found by it`() async throws
    {
        try await WireBench.with(Self.file(", keepalive: 1h")) { bench in
            try await WireWorker.connected(to: bench.port) { worker in
                try await worker.attach(basedir: bench.basedir)
                try await WireBench.wait { bench.master.workers.first?.connectedAt != nil }
                try await bench.reconfigure(Self.file(", keepalive: 1s"))
                var request = try await worker.next()
                while request?["op"] == "response" { request = try await worker.next() }
                #expect(request?["op"] == "keepalive")
                try await bench.wait(
                    forMessage: "worker 'w1' has disconnected: it was silent for 2 s")
                // It was asked once only, and cut off.
                while let message = try await worker.next() { Issue.record("\(message)") }
                #expect(worker.reason == nil)
            }
        }
    }

    @Test func `another missing_timeout counts from when the worker was there, and is told once`()
        async throws
    {
        try await WireBench.with(Self.file(", missing_timeout: 1h")) { bench in
            try await bench.reconfigure(Self.file(", missing_timeout: 365d"))
            try await bench.reconfigure(Self.file(", missing_timeout: 1ms"))
            try await bench.wait(forMessage: "worker 'w1' has been missing for")
            try await bench.reconfigure(Self.file(", missing_timeout: 2ms"))
            // What is told of another worker comes after what would be told of this one.
            try await bench.reconfigure(Self.file(", missing_timeout: 1ms", name: "w2"))
            try await bench.wait(forMessage: "worker 'w2' has been missing for")
            let count = bench.messages.texts.count { $0.contains("'w1' has been missing for") }
            #expect(count == 1)
        }
    }
}
