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

    /// A process: its number and its output.
    final class Number: Sendable {
        let value = Mutex<Int32>(0)
        let output = Mutex<[UInt8]>([])

        /// What it has written.
        var text: String { String(decoding: output.withLock { $0 }, as: UTF8.self) }
    }

    /// Runs a stock worker until the task is cancelled, never with the rights of root: it removes
    /// what it is told.
    ///
    /// Its folder has its name unless a place is given; with an authority it connects by TLS. Its
    /// log has no messages if it is quiet.
    static func work(
        _ name: String, port: Int, in folder: TemporaryFolder, process: Number = Number(),
        at place: String? = nil, trusting authority: String? = nil, isQuiet: Bool = false
    ) async throws {
        let (login, name) = (name, place ?? name)
        let package = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().path
        let basedir = "\(folder.path)/\(name)"
        for file in ["admin", "host"] { try folder.write("test\n", to: "\(name)/info/\(file)") }
        try folder.write(
            """
            from twisted.application import service
            from buildbot_worker.bot import Worker
            from buildbot_worker.msgpack import BuildbotWebSocketClientProtocol
            BuildbotWebSocketClientProtocol.debug = \(isQuiet ? "False" : "True")
            application = service.Application("buildbot-worker")
            Worker("localhost", \(port), "\(login)", "a:b", "\(basedir)", 600, umask=None,
                protocol="msgpack_experimental_v7",
                useTls=\(authority == nil ? "None" : "True")).setServiceParent(application)
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
        if let authority { shell.environment["SSL_CERT_FILE"] = authority }
        _ = try await LocalWorker(root: folder.path).run(.shell(shell)) { update in
            switch update.content {
            case .started(let number?): process.value.withLock { $0 = Int32(number) }
            case .output(_, let bytes): process.output.withLock { $0 += bytes }
            default: break
            }
        }
    }

    /// Runs a closure while a stock worker is connected.
    static func working<Value: Sendable>(
        _ name: String, port: Int, in folder: TemporaryFolder, for master: Master,
        at place: String? = nil, trusting authority: String? = nil,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await work(name, port: port, in: folder, at: place, trusting: authority)
                return nil
            }
            group.addTask {
                try await wait(for: master) { $0.name == name && $0.connectedAt != nil }
                return try await body()
            }
            defer { group.cancelAll() }
            while let value = try await group.next() {
                if let value { return value }
                Issue.record("the worker \(name) has ended")
            }
            throw CancellationError()
        }
    }

    /// Waits until a worker of a master is as it should be.
    static func wait(for master: Master, _ condition: (WorkerState) -> Bool) async throws {
        while !master.workers.contains(where: condition) {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    static func with<Value: Sendable>(
        _ file: String = file,
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

    @Test func `a worker connects by TLS, with a certificate that it trusts`() async throws {
        try await withTemporaryFolder { keys in
            var openssl = Command.Shell(
                .program([
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem", "-out",
                    "cert.pem", "-subj", "/CN=localhost", "-days", "2", "-addext",
                    "subjectAltName=DNS:localhost",
                ]), in: keys.path)
            openssl.wantsStderr = false
            let made = try await LocalWorker(root: keys.path).run(.shell(openssl)) { _ in }
            #expect(made.isSuccess)
            let (certificate, key) = ("\(keys.path)/cert.pem", "\(keys.path)/key.pem")
            let file = Self.file.replacing(
                "{msgpack: 0}",
                with: "{msgpack: {port: 0, tls: {certificate: \(certificate), key: \(key)}}}")
            try await Self.with(file) { master, folder, port in
                try await Self.working(
                    "w1", port: port, in: folder, for: master, trusting: certificate
                ) {
                    let submission = try await master.submit(
                        BuildsetRequest(builders: ["commands"], reason: "test"))
                    let builds = try await master.wait(for: submission)
                    #expect(builds.map(\.build.results) == [.success])
                }
            }
        }
    }

    @Test func `a worker is disconnected when its password changes, and comes back with it`()
        async throws
    {
        try await Self.with { master, folder, port in
            @Sendable func reconfigure(_ text: String) async throws {
                try folder.write(text, to: "master.yaml")
                let loaded = MasterConfiguration.load(
                    path: "\(folder.path)/master.yaml", registry: .standard, environment: [:])
                let configuration = try #require(loaded.configuration, "\(loaded.diagnostics)")
                _ = try await master.reconfigure(to: configuration, SecretValues())
            }
            let file = Self.file.replacing("RESULT", with: "\(folder.path)/result.txt")
            try await Self.working("w1", port: port, in: folder, for: master) {
                let since = try #require(master.workers.first?.connectedAt)
                // What has not changed disturbs nobody.
                try await reconfigure(file + "\ntitle: other\n")
                #expect(master.workers.first?.connectedAt == since)
                try await reconfigure(file.replacing("a:b", with: "other"))
                try await Self.wait(for: master) { $0.connectedAt == nil }
                try await reconfigure(file)
                try await Self.wait(for: master) { $0.connectedAt ?? since != since }
                let submission = try await master.submit(
                    BuildsetRequest(builders: ["commands"], reason: "test"))
                let builds = try await master.wait(for: submission)
                #expect(builds.map(\.build.results) == [.success])
            }
        }
    }

    @Test(arguments: [false, true])
    func `a build is built again when its worker was killed`(byMaster: Bool) async throws {
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
                            if byMaster {
                                try await master.shutDown(worker: "w1", isHurried: true)
                                return try await Task.sleep(for: .seconds(60))
                            }
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
