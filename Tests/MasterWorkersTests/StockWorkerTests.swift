import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import StandardPlugins
import Synchronization
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// Builds on a stock `buildbot-worker` process.
@Suite(.timeLimit(.minutes(2)))
struct StockWorkerTests {
    private static let file = """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: w1, password: "a:b", max_builds: 2, properties: {os: linux}}
        builders:
          - name: commands
            workernames: [w1]
            steps:
              - steps.ShellCommand:
                  command: [sh, -c, "echo out; echo err >&2; echo $FOO; exit 3"]
                  env: {FOO: bar}
                  flunkOnFailure: false
                  haltOnFailure: false
              - steps.ShellCommand: {command: "kill -TERM $$", flunkOnFailure: false, haltOnFailure: false}
              - steps.StringDownload: {s: !Interpolate "on %(prop:os)s\\n", workerdest: a/b.txt}
              - steps.FileUpload: {workersrc: a/b.txt, masterdest: RESULT}
              - steps.CopyDirectory: {src: a, dest: c}
              - steps.RemoveDirectory: a
              - steps.SetPropertyFromCommand: {command: "ls", property: left}
          - name: slow
            steps:
              - steps.ShellCommand: "[ -e once ] || { touch once; sleep 60; }"
        """

    /// The number of a process.
    private final class Number: Sendable {
        let value = Mutex<Int32>(0)
    }

    /// Runs a stock worker until the task is cancelled, never with the rights of root: it removes
    /// what it is told.
    private static func work(
        _ name: String, port: Int, in folder: TemporaryFolder, process: Number
    ) async throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let basedir = "\(folder.path)/\(name)"
        for file in ["admin", "host"] { try folder.write("test\n", to: "\(name)/info/\(file)") }
        try folder.write(
            """
            from twisted.application import service
            from buildbot_worker.bot import Worker
            application = service.Application("buildbot-worker")
            Worker("127.0.0.1", \(port), "\(name)", "a:b", "\(basedir)", 600, umask=None,
                protocol="msgpack_experimental_v7").setServiceParent(application)
            """, to: "\(name)/buildbot.tac")
        var words = [
            "\(package)/.build/python/bin/python", "-c",
            "import sys; from twisted.scripts.twistd import run; sys.exit(run())", "--nodaemon",
            "--no_save", "--pidfile=", "--logfile=-", "--python=\(basedir)/buildbot.tac",
            "--rundir=\(basedir)",
        ]
        if geteuid() == 0 {
            let files = FileManager.default
            try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
            for path in ["", "/info"] {
                try files.setAttributes(
                    [.ownerAccountID: 65534, .groupOwnerAccountID: 65534],
                    ofItemAtPath: basedir + path)
            }
            // It may read Python, wherever that is, but write nowhere else.
            words =
                [
                    "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                    "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search",
                ] + words
        }
        var shell = Command.Shell(.program(words), in: basedir)
        shell.timeout = nil
        _ = try await LocalWorker(root: folder.path).run(.shell(shell)) { update in
            if case .started(let number?) = update.content {
                process.value.withLock { $0 = Int32(number) }
            }
        }
    }

    private static func with<Value: Sendable>(
        _ body: @escaping @Sendable (Master, TemporaryFolder, Int) async throws -> Value
    ) async throws -> Value {
        try await withTemporaryFolder { folder in
            try folder.write(
                file.replacing("RESULT", with: "\(folder.path)/result.txt"), to: "master.yaml")
            let loaded = MasterConfiguration.load(
                path: "\(folder.path)/master.yaml", registry: .standard, environment: [:])
            let configuration = try #require(loaded.configuration, "\(loaded.diagnostics)")
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let endpoint = WorkerEndpoint(logger: logger)
            var options = Master.Options(
                basedir: "\(folder.path)/base", slots: 1, resumesRequests: true)
            options.servers = [endpoint]
            return try await Master.run(
                configuration, SecretValues(), options: options, logger: logger
            ) { master in
                try await body(master, folder, try #require(endpoint.port))
            }
        }
    }

    @Test func `a build runs on a stock worker as it does on this machine`() async throws {
        try await Self.with { master, folder, port in
            let submission = try await master.submit(
                BuildsetRequest(builders: ["commands"], reason: "test"))
            let worker = Task {
                let process = Number()
                try await Self.work("w1", port: port, in: folder, process: process)
            }
            let builds = try await master.wait(for: submission)
            worker.cancel()
            _ = await worker.result
            let build = try #require(builds.first)
            #expect(build.build.results == .success, "\(build.build.stateString)")
            let texts = build.steps.map(\.stateString)
            #expect(texts[0].contains("exit 3") && texts[1].contains("SIGTERM"), "\(texts)")
            #expect(try folder.read("result.txt") == "on linux\n")
            #expect(build.build.properties["left"] == "c")
            #expect(build.build.properties["workername"] == "w1")
            #expect(
                build.build.properties["builddir"] == .string("\(folder.path)/w1/commands"))
        }
    }

    @Test func `a build is built again when its worker was killed`() async throws {
        try await Self.with { master, folder, port in
            let submission = try await master.submit(
                BuildsetRequest(builders: ["slow"], reason: "test"))
            let worker = Task {
                while !Task.isCancelled {
                    let process = Number()
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await Self.work("w1", port: port, in: folder, process: process)
                        }
                        group.addTask {
                            // The first build has begun, and the second one must not be disturbed.
                            while !folder.has("w1/slow/build/once") || folder.has("killed") {
                                try await Task.sleep(for: .milliseconds(20))
                            }
                            try folder.write("", to: "killed")
                            let number = process.value.withLock(\.self)
                            if number > 1 { kill(number, SIGKILL) }
                            try await Task.sleep(for: .seconds(60))
                        }
                        try await group.next()
                        group.cancelAll()
                    }
                }
            }
            let builds = try await master.wait(for: submission)
            worker.cancel()
            _ = await worker.result
            #expect(builds.map(\.build.results) == [.retry, .success])
        }
    }
}
