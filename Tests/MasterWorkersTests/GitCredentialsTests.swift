import Foundation
import Glibc
import MasterKit
import MasterTesting
import StandardPlugins
import Synchronization
import Testing

@testable import MasterRuntime

/// Where the credentials of `steps.Git` are on a stock worker, and where they never are.
@Suite(.timeLimit(.minutes(2)))
struct GitCredentialsTests {
    /// A master with a builder that fetches.
    private struct Bench: Sendable {
        let master: Master
        let folder: TemporaryFolder
        let port: Int
        /// Texts that nobody may see.
        let secrets: [String]
        /// What the worker writes to its log.
        let process = StockWorkerTests.Number()

        var hasBegun: Bool { folder.has("w1/begun") }

        /// Configures the master with a step; with another password the worker can't connect.
        func configure(_ step: String, password: String = "a:b") async throws {
            try folder.write(
                """
                protocols: {msgpack: 0}
                workers:
                  - workers.Worker: {name: w1, password: "\(password)"}
                builders:
                  - {name: one, steps: [steps.Git: {\(step), logEnviron: true}]}
                """, to: "master.yaml")
            let loaded = MasterConfiguration.load(
                path: "\(folder.path)/master.yaml", registry: .standard, environment: [:])
            _ = try await master.reconfigure(
                to: try #require(loaded.configuration, "\(loaded.diagnostics)"), SecretValues())
        }

        func work() async throws {
            try await StockWorkerTests.work(
                "w1", port: port, in: folder, process: process, isQuiet: true)
        }

        func submit(_ reason: String) async throws -> Submission {
            try await master.submit(BuildsetRequest(builders: ["one"], reason: reason))
        }

        func wait(until isMet: () throws -> Bool) async throws {
            while try !isMet() { try await Task.sleep(for: .milliseconds(20)) }
        }

        /// The files on the worker with a secret, and the processes with one in their arguments.
        func leaks() throws -> [String] {
            let root = "\(folder.path)/w1"
            let files = try #require(FileManager.default.enumerator(atPath: root))
            return try files.compactMap { $0 as? String }.filter { holds("\(root)/\($0)") }
                + processes("cmdline")
        }

        /// The processes that have a secret in a file of `/proc`.
        func processes(_ file: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc")
                .filter { holds("/proc/\($0)/\(file)") }
                .compactMap { try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8) }
        }

        func holds(_ path: String) -> Bool {
            guard let content = FileManager.default.contents(atPath: path) else { return false }
            return secrets.contains { content.firstRange(of: Data($0.utf8)) != nil }
        }

        /// Checks what is left when the worker has ended, too.
        func finish(_ worker: Task<Void, any Error>) async throws {
            worker.cancel()
            _ = await worker.result
            #expect(process.text.contains("git fetch"))
            let isLogged = secrets.contains { process.text.contains($0) }
            #expect(!isLogged)
            #expect(try leaks() == [])
        }
    }

    private static func with(
        _ secrets: [String], _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let empty = """
            protocols: {msgpack: 0}
            workers:
              - workers.Worker: {name: w1, password: "a:b"}
            builders: [{name: one, steps: [steps.Assert: true]}]
            """
        try await StockWorkerTests.with(empty) { master, folder, port in
            try await body(Bench(master: master, folder: folder, port: port, secrets: secrets))
        }
    }

    // MARK: SSH

    /// Holds on the first fetch, until the build is stopped or lost; a second one goes through.
    private static let ssh = """
        #!/bin/sh
        for last; do :; done
        ssh-add -L >>W1/keys
        if [ ! -e W1/begun ]; then touch W1/begun; sleep 1000; fi
        eval "exec git -c 'safe.directory=*' ${last#git-}"
        """

    /// Runs a closure with the settings of a step that fetches with a key, from a repository that a
    /// stand-in for ssh serves.
    private static func withKey(
        _ body: @escaping @Sendable (Bench, _ step: String) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { files in
            let root = files.path
            let words = """
                chmod 755 .
                ssh-keygen -q -t ed25519 -N '' -C '' -f key
                git init -q -b main source
                git -C source -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
                """
            let made = try await LocalWorker(root: root).run(
                .shell(Command.Shell(.script(words), in: root))
            ) { _ in }
            #expect(made.isSuccess)
            let key = try files.read("key")
            let lines = key.split(separator: "\n").dropFirst().dropLast().map(String.init)
            try await with(lines) { bench in
                let worker = bench.folder.path + "/w1"
                try files.write(
                    ssh.replacing("W1", with: worker), to: "bin/ssh", permissions: 0o755)
                try await body(
                    bench,
                    """
                    repourl: "ssh://git@127.0.0.1\(root)/source",
                    sshHostKey: ssh-ed25519 AAAA,
                    sshPrivateKey: "\(key.replacing("\n", with: "\\n"))",
                    env: {PATH: "\(root)/bin:/usr/bin:/bin"}
                    """)
            }
        }
    }

    /// How a build loses its worker.
    enum Loss: CaseIterable {
        case connection
        case process
    }

    @Test(arguments: Loss.allCases)
    func `a key is in no file of a worker that is lost while git fetches`(
        _ loss: Loss
    ) async throws {
        try await Self.withKey { bench, step in
            try await bench.configure(step)
            let submission = try await bench.submit("\(loss)")
            let worker = Task {
                try await bench.work()
                // It was killed, and what it ran with it.
                if !Task.isCancelled { try await bench.work() }
            }
            try await bench.wait { bench.hasBegun }
            #expect(try bench.leaks() == [])
            switch loss {
            case .connection: try await bench.configure(step, password: "other")
            case .process: kill(bench.process.value.withLock(\.self), SIGKILL)
            }
            try await StockWorkerTests.wait(for: bench.master) { $0.connectedAt == nil }
            #expect(try bench.leaks() == [])
            if loss == .connection { try await bench.configure(step) }
            let builds = try await bench.master.wait(for: submission)
            #expect(builds.map(\.build.results) == [.retry, .success])
            // An agent ends by itself within ten seconds.
            try await bench.wait {
                try bench.processes("environ").allSatisfy { $0 == "ssh-agent\n" }
            }
            // Both builds had the key.
            let keys = try bench.folder.read("w1/keys").split(separator: "\n")
            #expect(keys.count == 2 && keys.allSatisfy { $0.hasPrefix("ssh-ed25519 ") }, "\(keys)")
            try await bench.finish(worker)
        }
    }

    @Test func `a key is nowhere on a worker when the build was stopped`() async throws {
        try await Self.withKey { bench, step in
            try await bench.configure(step)
            let worker = Task { try await bench.work() }
            let submission = try await bench.submit("stopped")
            try await bench.wait { bench.hasBegun }
            let request = try #require(submission.requestIDs.first)
            await bench.master.stop(request: request, reason: "test")
            let builds = try await bench.master.wait(for: submission)
            #expect(builds.map(\.build.results) == [.cancelled])
            try await bench.wait { try bench.processes("environ").isEmpty }
            try await bench.finish(worker)
        }
    }

    // MARK: HTTP

    @Test(arguments: [
        "auth: [ann, hunter2hunter2], repourl: 'http://", "repourl: 'http://ann:hunter2hunter2@",
    ])
    func `a password is in no argument, log or file of a worker`(_ settings: String) async throws {
        let basic = Data("ann:hunter2hunter2".utf8).base64EncodedString()
        try await Self.with(["hunter2hunter2", basic]) { bench in
            let seen = Mutex<[String]>([])
            try await withLoopbackServer(handler: { request in
                let found = (try? bench.leaks()) ?? ["unknown"]
                seen.withLock { $0 += found + [request.header("Authorization") ?? ""] }
                return .text("no\n", status: 404)
            }) { server in
                let address = server.url.dropFirst("http://".count)
                try await bench.configure("\(settings)\(address)/r.git', env: {no_proxy: '*'}")
                let worker = Task { try await bench.work() }
                let builds = try await bench.master.wait(for: bench.submit(settings))
                #expect(builds.map(\.build.results) == [.failure])
                #expect(seen.withLock(\.self) == ["Basic \(basic)"])
                let stored = try bench.folder.read("w1/one/build/.git/config")
                #expect(stored.contains("url = http://127.0.0.1"), "\(stored)")
                try await bench.finish(worker)
            }
        }
    }
}
