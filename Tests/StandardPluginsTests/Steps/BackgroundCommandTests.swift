import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(2)))
struct BackgroundCommandTests {
    /// Runs the step, and a closure while its program may be running.
    private func run(
        _ yaml: String, properties: JSONObject = [:], worker: any Worker = LocalWorker(root: "/"),
        _ body: (Results, StepHarness) async throws -> Void
    ) async throws {
        let harness = try StepHarness(properties: properties, worker: worker, workdir: "/tmp")
        let step = try BackgroundCommand.configured(yaml: yaml)
        let results = try await harness.run(step)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(results, harness))
        } catch {
            outcome = .failure(error)
        }
        #expect(await harness.endBuild().isEmpty)
        try outcome.get()
    }

    /// A port below those that the system gives to clients, at which nothing listens.
    static func unusedPort() throws -> Int {
        let found = (0..<100).lazy.map { _ in Int.random(in: 20_000..<30_000) }
            .first { !LoopbackPort($0).isOpen }
        return try #require(found)
    }

    private static let listener =
        "[python3, -c, 'import socket; s = socket.create_server((\"127.0.0.1\", PORT)); "
        + "s.listen(); [s.accept() for _ in iter(int, 1)]']"

    @Test func `a program without 'ready' goes on when the step ends, and is ended with the build`()
        async throws
    {
        try await run("echo $$; exec sleep 600") { results, harness in
            #expect(results == .success)
            #expect(harness.summary == "'echo $$; ...': started")
            await harness.endBuild()
            let lines = try #require(harness.log("stdio")?.lines)
            #expect(lines.contains("h in dir /tmp"))
            #expect(lines.last == "hstopped at the end of the build")
        }
    }

    @Test func `the step waits for a line of the output`() async throws {
        let yaml = "{command: 'echo begun >&2; echo up; exec sleep 600', ready: {log: '^up'}}"
        try await run(yaml) { results, harness in
            #expect(results == .success)
            #expect(harness.summary == "'echo begun ...': ready")
            #expect(harness.log("stdio")?.lines.contains("oup") == true)
        }
    }

    @Test func `the step waits for a port`() async throws {
        let port = try Self.unusedPort()
        let command = Self.listener.replacing("PORT", with: "\(port)")
        let yaml = "{command: \(command), ready: {port: !Property port, timeout: 60}}"
        try await run(yaml, properties: ["port": .string("\(port)")]) { results, harness in
            #expect(results == .success)
            #expect(harness.summary == "'python3 -c ...': ready on port \(port)")
            #expect(LoopbackPort(port).isOpen)
            await harness.endBuild()
            #expect(!LoopbackPort(port).isOpen)
        }
    }

    @Test(arguments: ["port: PORT", "url: 'http://127.0.0.1:PORT/'"])
    func `a program is not ready because another one listens at its port`(
        _ sign: String
    ) async throws {
        let port = try Self.unusedPort()
        let sign = sign.replacing("PORT", with: "\(port)")
        let server =
            "[python3, -m, http.server, --bind, 127.0.0.1, --directory, /proc/self, \(port)]"
        let folder = FileManager.default.temporaryDirectory.path + "/background-\(UUID())"
        let silent = try BackgroundCommand.configured(
            yaml: "{command: 'mkdir \(folder); exec sleep 600', ready: {\(sign), timeout: 3}}")
        let harness = try StepHarness(worker: LocalWorker(root: "/"), workdir: "/tmp")
        let results = Task { try await harness.run(silent) }
        // The port is free until the program has been started.
        while !FileManager.default.fileExists(atPath: folder) {
            try await Task.sleep(for: .milliseconds(10))
        }
        try FileManager.default.removeItem(atPath: folder)
        try await run("{command: \(server), ready: {\(sign), timeout: 60}}") { others, _ in
            #expect(others == .success)
            let ended = try await results.value
            #expect(ended == .failure)
            let reason = "not ready after 3 seconds: another program listens at port \(port)"
            #expect(harness.summary?.hasSuffix(reason) == true, "\(harness.summary ?? "")")
        }
        #expect(await harness.endBuild().isEmpty)
    }

    @Test func `what a program has started may listen for it`() async throws {
        let port = try Self.unusedPort()
        let command = "setsid python3 -m http.server --bind 127.0.0.1 \(port) & wait"
        let yaml = "{command: '\(command)', ready: {port: \(port), timeout: 60}}"
        try await run(yaml) { results, _ in #expect(results == .success) }
    }

    @Test func `the step waits for an answer that is not an error`() async throws {
        let port = try Self.unusedPort()
        let yaml = """
            command: [python3, -m, http.server, --bind, 127.0.0.1, --directory, /proc/self, \(port)]
            ready: {url: "http://127.0.0.1:\(port)/status", timeout: 60}
            """
        try await run(yaml) { results, harness in
            #expect(results == .success)
            #expect(
                harness.summary
                    == "'python3 -m http.server ...': ready at http://127.0.0.1:\(port)/status")
        }
    }

    @Test(arguments: [
        ("exit 3", "exited with 3 before it was ready"),
        ("kill -9 $$", "killed by signal 9 (SIGKILL) before it was ready"),
        ("true & exit 0", "exited with 0 before it was ready"),
        ("echo other; exec sleep 600", "not ready after 0.3 seconds"),
    ])
    func `a program that does not get ready is a failure`(
        _ command: String, _ fault: String
    ) async throws {
        let yaml = "{command: '\(command)', ready: {log: '^up', timeout: 0.3}}"
        let port = try Self.unusedPort()
        for yaml in [yaml, yaml.replacing("log: '^up'", with: "port: \(port)")] {
            try await run(yaml) { results, harness in
                #expect(results == .failure)
                let summary = try #require(harness.summary)
                // On a busy machine the time may be up before the program has ended.
                let isLate = summary.hasSuffix("not ready after 0.3 seconds")
                #expect(summary.hasSuffix(": \(fault)") || isLate, "\(summary)")
            }
        }
    }

    @Test func `a program that cannot be started is a failure`() async throws {
        for yaml in ["[/no/such/program]", "{command: [/no/such/program], ready: {log: x}}"] {
            try await run(yaml) { results, harness in
                #expect(results == .failure)
                #expect(harness.summary == "'/no/such/program': program not found")
            }
        }
    }

    @Test func `a port that is in use is not taken for that of the program`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok\n") }) { server in
            let port = try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
            for ready in ["port: \(port)", "url: 'http://localhost:\(port)/'"] {
                let yaml = "{command: 'touch never', ready: {\(ready)}}"
                try await run(yaml) { results, harness in
                    #expect(results == .failure)
                    #expect(harness.summary == "port \(port) is already in use")
                    #expect(
                        harness.log("stdio")?.lines == [
                            "eport \(port) is already in use; end the program that listens there, "
                                + "or choose another port"
                        ])
                }
            }
        }
    }

    @Test func `a program of another machine can only tell by its output`() async throws {
        let yaml = "{command: 'echo up; exec sleep 600', ready: {port: 80}}"
        try await run(yaml, worker: Elsewhere()) { results, harness in
            #expect(results == .failure)
            #expect(harness.summary == "'ready' can't be a port or a URL on this worker")
        }
        try await run(yaml.replacing("port: 80", with: "log: up"), worker: Elsewhere()) {
            results, _ in #expect(results == .success)
        }
    }

    @Test func `two running programs can't have the same name`() async throws {
        let yaml = "{command: 'exec sleep 600', id: server}"
        try await run(yaml) { _, harness in
            await #expect(throws: CommandError.self) {
                try await harness.run(try BackgroundCommand.configured(yaml: yaml))
            }
            #expect(
                harness.logs.last?.lines == [
                    "ethe program 'server' is already running; give this one another 'id'"
                ])
        }
    }

    @Test func `what the program writes to files becomes logs, also later`() async throws {
        let name = "/tmp/background-\(UUID().uuidString)"
        let yaml = """
            command: 'until [ -e \(name) ]; do sleep 0.02; done; echo more >> \(name); sleep 600'
            logfiles: {extra: \(name)}
            """
        try await run(yaml) { results, harness in
            #expect(results == .success)
            #expect(harness.log("extra") == nil)
            try Data("first\n".utf8).write(to: URL(filePath: name))
            await harness.waitForLine("omore", in: "extra")
        }
        try FileManager.default.removeItem(atPath: name)
    }

    /// The local worker under the pretence of being on another machine.
    private struct Elsewhere: Worker {
        let name = "elsewhere"
        private let worker = LocalWorker(root: "/")

        func run(
            _ command: Command, input: CommandInput,
            updates: (CommandUpdate) async throws -> Void
        ) async throws -> CommandResult {
            try await worker.run(command, input: input, updates: updates)
        }
    }
}
