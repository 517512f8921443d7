import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import OrderedCollections
import StandardPlugins
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// Workers that send what they may not: each is disconnected with a sentence, and the master goes on.
@Suite(.timeLimit(.minutes(2)))
struct HostileWorkerTests {
    private static let file = """
        protocols: {msgpack: 0}
        workers:
          - workers.Worker: {name: w1, password: "a:b"}
        builders:
          - name: program
            steps:
              - steps.ShellCommand: make
          - name: upload
            steps:
              - steps.DirectoryUpload: {workersrc: a, masterdest: FOLDER/b}
        """

    private struct Fixture: Sendable {
        let master: Master
        let endpoint: WorkerEndpoint
        let port: Int
        let folder: String
    }

    private static func with(
        _ body: @Sendable (Fixture) async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try folder.write(file.replacing("FOLDER", with: folder.path), to: "master.yaml")
            let loaded = MasterConfiguration.load(
                path: "\(folder.path)/master.yaml", registry: .standard, environment: [:])
            let configuration = try #require(loaded.configuration, "\(loaded.diagnostics)")
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let endpoint = WorkerEndpoint(logger: logger)
            var options = Master.Options(
                basedir: "\(folder.path)/base", slots: 1, resumesRequests: true)
            options.servers = [endpoint]
            try await Master.run(
                configuration, SecretValues(), options: options, logger: logger
            ) { master in
                try await body(
                    Fixture(
                        master: master, endpoint: endpoint,
                        port: try #require(endpoint.port), folder: folder.path))
            }
        }
    }

    /// What a worker does with the id of a running command, and what the master says to it.
    private typealias Attack = (
        reason: String, run: @Sendable (inout WireWorker, MessagePack) async -> Void
    )

    /// An update with a list of lists, one in the other.
    private static let nested: [UInt8] = [UInt8](repeating: 0x91, count: 1 << 20) + [0xC0]

    private static let attacks: [Attack] = [
        (
            "it sent an update of 'rc' with an invalid value: a text",
            { worker, id in
                await worker.update(id, [["rc", "0"]])
            }
        ),
        (
            "it sent an update of 'stdout' with an invalid value: a number",
            { worker, id in
                await worker.update(id, [["stdout", -1]])
            }
        ),
        (
            "it sent the log file '\\u{1B}[2J\\nfake', which was not wanted",
            { worker, id in
                await worker.update(id, [["log", ["\u{1B}[2J\nfake", ["a\n", [1], [0]]]]])
            }
        ),
        (
            "it sent 'update' for a command that is not running: "
                + String(repeating: "9", count: 60),
            { worker, id in
                await worker.update(.text(String(repeating: "9", count: 60)), [["rc", 0]])
            }
        ),
        (
            "it answered a request that it was not sent: 4711",
            { worker, id in
                await worker.send("response", ["seq_number": 4711, "result": nil])
            }
        ),
        (
            "it sent the unknown operation 'shutdown'",
            { worker, id in
                await worker.send("shutdown", ["command_id": id])
            }
        ),
        (
            "it transferred a file for a program",
            { worker, id in
                await worker.send(
                    "update_upload_file_write", ["command_id": id, "args": .bytes([1])])
            }
        ),
        (
            "it sent an invalid message: lists and maps are nested deeper than 16 levels, at byte 17",
            { worker, id in await worker.send(message: nested) }
        ),
        (
            "it sent an invalid message: a text is not valid UTF-8, at byte 6",
            { worker, id in
                await worker.send(message: [0x81, 0xA2, 0x6F, 0x70, 0xA1, 0xFF])
            }
        ),
        (
            "it sent an invalid message: the message is cut short after 5 bytes",
            { worker, id in
                await worker.send(message: [0xDD, 0x7F, 0xFF, 0xFF, 0xFF])
            }
        ),
        (
            "it sent a message of more than 64 MiB",
            { worker, id in
                await worker.send(bytes: [0x82, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
        ),
        (
            "frames of a client must be masked",
            { worker, id in
                await worker.send(bytes: [0x82, 0x01, 0xC0])
            }
        ),
    ]

    @Test func `a hostile worker is disconnected with a sentence, which is that of its build`()
        async throws
    {
        try await Self.with { fixture in
            for attack in Self.attacks {
                let submission = try await fixture.master.submit(
                    BuildsetRequest(builders: ["program"], reason: "test"))
                let reason = try await WireWorker.connected(to: fixture.port) { worker in
                    let program = try await worker.program(basedir: fixture.folder + "/w1")
                    await attack.run(&worker, program)
                    while try await worker.next() != nil {}
                    return worker.reason
                }
                let text = reason ?? "none"
                #expect(attack.reason.hasPrefix(text) && text.utf8.count > 20, "\(text)")
                let build = try #require(try await fixture.master.wait(for: submission).first)
                #expect(build.build.results == .exception, "\(attack.reason)")
                let state = build.steps.map(\.stateString).joined()
                #expect(
                    state.contains("the connection to the worker w1 was closed: "),
                    "\(attack.reason): \(state)")
            }
        }
    }

    @Test func `what follows the end of a command ends the connection`() async throws {
        try await Self.with { fixture in
            let submission = try await fixture.master.submit(
                BuildsetRequest(builders: ["program"], reason: "test"))
            let reason = try await WireWorker.connected(to: fixture.port) { worker in
                let program = try await worker.program(basedir: fixture.folder + "/w1")
                await worker.end(program)
                await worker.update(program, [["stdout", ["late\n", [4], [0]]]])
                while try await worker.next() != nil {}
                return worker.reason
            }
            #expect(reason?.hasPrefix("it sent 'update' for a command that is not running") == true)
            let build = try #require(try await fixture.master.wait(for: submission).first)
            #expect(build.build.results == .success)
        }
    }

    /// Uploads a folder whose listing and whose sizes are made up.
    private static func upload(
        _ names: [String], byteCount: Int64, _ fixture: Fixture
    ) async throws -> (build: FinishedBuild, reason: String?) {
        // A build that began on the connection of the case before would be lost with it.
        try await wait { fixture.endpoint.connectionCount == 0 }
        let submission = try await fixture.master.submit(
            BuildsetRequest(builders: ["upload"], reason: "test"))
        let reason = try await WireWorker.connected(to: fixture.port) { worker in
            let basedir = fixture.folder + "/w1"
            var isTop = true
            while let command = try await worker.nextCommand(basedir: basedir) {
                switch command.name {
                case "stat":
                    let mode: MessagePack = isTop ? 0o040755 : 0o100644
                    await worker.end(
                        command.id,
                        [
                            ["stat", [mode, 0, 0, 1, 0, 0, .int(byteCount), 0, .int(.max), 0]],
                            ["rc", 0],
                        ])
                case "listdir":
                    isTop = false
                    await worker.end(
                        command.id, [["files", .list(names.map { .text($0) })], ["rc", 0]])
                case "upload_file":
                    await worker.send(
                        "update_upload_file_write",
                        ["command_id": command.id, "args": .bytes([97])])
                    await worker.send("update_upload_file_close", ["command_id": command.id])
                    await worker.end(command.id)
                    if command.arguments["path"]?.text?.hasSuffix(names.last ?? "") == true {
                        return worker.reason
                    }
                default: await worker.end(command.id)
                }
            }
            return worker.reason
        }
        let builds = try await fixture.master.wait(for: submission)
        return (try #require(builds.first), reason)
    }

    @Test func `an uploaded folder can't name a file outside of its destination`() async throws {
        try await Self.with { fixture in
            let long = String(repeating: "x", count: 256)
            for name in ["../evil", "..", ".", "", "/etc/evil", "a/../../evil", "a\0b", long] {
                let (build, reason) = try await Self.upload([name], byteCount: 1, fixture)
                #expect(build.build.results == .exception)
                #expect(reason?.hasPrefix("it listed '") == true, "\(name): \(reason ?? "")")
            }
            #expect(!FileManager.default.fileExists(atPath: fixture.folder + "/evil"))
        }
    }

    @Test func `the size and the time that a worker claims for a file are not relied upon`()
        async throws
    {
        try await Self.with { fixture in
            let (build, _) = try await Self.upload(["one", "two"], byteCount: .max, fixture)
            #expect(build.build.results == .success, "\(build.build.stateString)")
            #expect(
                try String(contentsOfFile: fixture.folder + "/b/two", encoding: .utf8) == "a")
        }
        try await Self.with { fixture in
            let (build, reason) = try await Self.upload(["one"], byteCount: -1, fixture)
            #expect(build.build.results == .exception)
            #expect(reason == "it sent an update of 'stat' with an invalid value: a list")
        }
    }

    @Test func `a worker that says nothing about a command is disconnected`() async throws {
        let connection = WorkerConnection(worker: "w1", address: "127.0.0.1")
        let command = try connection.start("stat", [:])
        let message = Task { try await command.next() }
        var rounds = 0
        // It runs twice, and is then no more.
        try await connection.watch(command, silence: .milliseconds(20)) {
            #expect(connection.end == nil)
            rounds += 1
            return rounds < 3
        }
        #expect(rounds == 3)
        #expect(connection.end?.reason.hasPrefix("it said nothing about a command for") == true)
        await #expect(throws: ConnectionEnd.self) { _ = try await message.value }
    }

    private static func wait(until isMet: () -> Bool) async throws {
        while !isMet() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func `a lost connection leaves nothing behind, and a worker can have a few`() async throws
    {
        try await Self.with { fixture in
            for _ in 0..<10 {
                _ = try await WireWorker.connected(to: fixture.port) { worker in
                    // The handshake has begun.
                    _ = try await worker.next()
                }
            }
            try await Self.wait { fixture.endpoint.connectionCount == 0 }
            // One that never answers, and others of its name that wait for it.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await WireWorker.connected(to: fixture.port) { worker in
                            while try await worker.next() != nil {}
                        }
                    }
                }
                try await Self.wait { fixture.endpoint.connectionCount == 4 }
                let reason = try await WireWorker.connected(to: fixture.port) { worker in
                    while try await worker.next() != nil {}
                    return worker.reason
                }
                #expect(reason == "this worker has too many connections")
                group.cancelAll()
            }
        }
    }
}
