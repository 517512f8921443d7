import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import SystemPackage
import Testing

@testable import MasterRuntime

/// How commands reach the master that uses a folder.
@Suite(.timeLimit(.minutes(1)))
struct ControlSocketTests {
    private func inFolder<Value>(
        _ name: String = "", _ body: (String) async throws -> Value
    ) async throws -> Value {
        let root = "/tmp/control-test-\(UUID().uuidString)"
        let folder = root + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(folder))
        } catch {
            outcome = .failure(error)
        }
        try FileManager.default.removeItem(atPath: root)
        return try outcome.get()
    }

    /// Runs a socket during a closure.
    private func running<Value: Sendable>(
        _ folder: String, _ told: Journal<ControlRequest>,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let socket = try ControlSocket(folder: folder) { request, connection in
            told.add(request)
            guard let size = request.arguments["size"]?.intValue else { return }
            await connection.send(["text": .string(String(repeating: "x", count: size))])
            if request.command == "hang" {
                await Signal().wait()
                told.add(ControlRequest("cancelled"))
            }
        }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await socket.run() }
            let value = try await body()
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    // These block until the socket is served, which needs one of few threads.

    @discardableResult
    private func tell(_ folder: String) async throws -> ControlSocket.Reception {
        try await OwnThread.run { ControlSocket.send(.deliveriesChanged, to: folder) }
    }

    private func connect(_ count: Int, to folder: String) async throws -> [OwnedDescriptor] {
        try await OwnThread.run {
            (1...count).compactMap { _ in
                UnixSocket.connect(
                    in: FilePath(folder), name: ControlSocket.fileName, patience: .seconds(30))
            }
        }
    }

    private func receive(_ socket: OwnedDescriptor, _ count: Int) async throws -> [UInt8]? {
        try await OwnThread.run { UnixSocket.receiveBytes(socket, maxByteCount: count) }
    }

    @Test(arguments: ["", "/" + String(repeating: "a", count: 120)])
    func `a request is carried out before it is answered, however long the path`(
        name: String
    ) async throws {
        let told = Journal<ControlRequest>()
        try await inFolder(name) { folder in
            #expect(try await tell(folder) == .nobodyListens)
            try await running(folder, told) {
                #expect(try await tell(folder) == .received)
                #expect(told.entries == [.deliveriesChanged])
                let mode = try FileManager.default.attributesOfItem(atPath: folder + "/control")[
                    .posixPermissions]
                #expect(mode as? Int == 0o600)
            }
            #expect(try await tell(folder) == .nobodyListens)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `what a killed master left is replaced, and a folder in its place is told`()
        async throws
    {
        try await inFolder { folder in
            let path = folder + "/control"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("old".utf8)))
            let told = Journal<ControlRequest>()
            try await running(folder, told) {
                let reception = try await tell(folder)
                #expect(reception == .received)
            }
            try FileManager.default.createDirectory(
                atPath: path + "/sub", withIntermediateDirectories: true)
            let fault = #expect(throws: ControlFault.self) {
                try ControlSocket(folder: folder) { _, _ in }
            }
            #expect(fault?.description.hasPrefix("the control socket \(path) cannot be") == true)
        }
    }

    @Test func `somebody who says nothing holds up others for a second at most`() async throws {
        let told = Journal<ControlRequest>()
        try await inFolder { folder in
            try await running(folder, told) {
                let silent = try await connect(1, to: folder)
                #expect(silent.count == 1)
                try await tell(folder)
                await told.wait(for: 1)
                for socket in silent { socket.close() }
            }
        }
    }

    /// Sends bytes in place of a request, and returns the error that is answered.
    private func error(answering bytes: [UInt8], in folder: String) async throws -> String? {
        let socket = try #require(try await connect(1, to: folder).first)
        #expect(UnixSocket.send(bytes, socket))
        guard let packet = try await receive(socket, 1 << 16) else { return nil }
        return try JSONValue(parsing: Array(packet.dropFirst()))["error"]?.stringValue
    }

    @Test func `what is not a request is refused with a reason, and nothing else happens`()
        async throws
    {
        let told = Journal<ControlRequest>()
        let deep = String(repeating: "[", count: 60_000)
        let cases = [
            ("hello", "a request must be a JSON object: "), (deep, "a request must be a JSON"),
            ("[1]", "this master takes requests of version 1; "),
            (#"{"version": 2, "command": "stop"}"#, "this master takes requests of version 1; "),
            (#"{"version": 1, "command": 7}"#, "a request needs a 'command'"),
            (String(repeating: "x", count: 70_000), "a request has at most 64 KiB"),
        ]
        try await inFolder { folder in
            try await running(folder, told) {
                for (text, expected) in cases {
                    let found = try await error(answering: Array(text.utf8), in: folder)
                    #expect(found?.hasPrefix(expected) == true, "\(found ?? "")")
                }
                #expect(try await error(answering: [0xFF, 0xFE, 0], in: folder) != nil)
                #expect(try await tell(folder) == .received)
                #expect(told.entries == [.deliveriesChanged])
            }
        }
    }

    @Test func `however many wait, other commands are carried out, and too many are told so`()
        async throws
    {
        let told = Journal<ControlRequest>()
        try await inFolder { folder in
            try await running(folder, told) {
                let client = ControlClient(folder: folder)
                let waiting = ControlRequest("hang", ["wait": true, "size": 1])
                func refusal(of request: ControlRequest) async throws -> String? {
                    let error = await #expect(throws: ControlError.self) {
                        try await client.send(request)
                    }
                    return error?.description
                }
                let busy = "the master is busy with other commands; try again"

                let waiters = try await connect(ControlSocket.waiterLimit, to: folder)
                for waiter in waiters {
                    #expect(UnixSocket.send(Array(waiting.text.utf8), waiter))
                }
                await told.wait(for: ControlSocket.waiterLimit)
                #expect(try await refusal(of: waiting) == busy)
                let give = ControlRequest("give", ["size": 3])
                let answer = try await client.send(give)
                #expect(answer?["text"] == "xxx")

                let silent = try await connect(
                    ControlSocket.clientLimit - ControlSocket.waiterLimit, to: folder)
                for _ in 1...20 { #expect(try await refusal(of: give) == busy) }
                for socket in waiters + silent { socket.close() }
            }
        }
    }

    @Test(arguments: [70_000, 1_000_000])
    func `a request that is too large is said to be so`(_ size: Int) async throws {
        try await inFolder { folder in
            try await running(folder, Journal()) {
                let text = String(repeating: "x", count: size)
                let error = await #expect(throws: ControlError.self) {
                    try await ControlClient(folder: folder).send(
                        ControlRequest("force", ["reason": .string(text)]))
                }
                #expect(
                    error?.description
                        == "the arguments are too large: together they may have 64 KiB")
            }
        }
    }

    @Test func `an answer of any size arrives whole`() async throws {
        try await inFolder { folder in
            try await running(folder, Journal()) {
                for size in [0, 32_000, 40_000, 3_000_000] {
                    let answer = try await ControlClient(folder: folder).send(
                        ControlRequest("give", ["size": .int(size)]))
                    #expect(answer?["text"]?.stringValue?.utf8.count == size)
                    #expect(answer?["version"] == 1)
                }
            }
        }
    }

    @Test func `many clients that say nothing or read nothing hold up nobody for long`()
        async throws
    {
        let told = Journal<ControlRequest>()
        try await inFolder { folder in
            try await running(folder, told) {
                let silent = try await connect(ControlSocket.clientLimit / 2, to: folder)
                let request = ControlRequest("give", ["size": 3_000_000])
                for socket in silent.prefix(10) {
                    #expect(UnixSocket.send(Array(request.text.utf8), socket))
                }
                let answer = try await ControlClient(folder: folder).send(
                    ControlRequest("give", ["size": 5]))
                #expect(answer?["text"] == "xxxxx")
                for socket in silent { socket.close() }
            }
        }
    }

    @Test func `a request is cancelled when its client hangs up`() async throws {
        let told = Journal<ControlRequest>()
        try await inFolder { folder in
            try await running(folder, told) {
                let socket = try #require(try await connect(1, to: folder).first)
                let request = ControlRequest("hang", ["size": 1])
                #expect(UnixSocket.send(Array(request.text.utf8), socket))
                #expect(try await receive(socket, 100) != nil)
                socket.close()
                await told.wait(for: 2)
                #expect(told.entries.last == ControlRequest("cancelled"))
            }
        }
    }

    @Test func `without a master there is one sentence`() async throws {
        try await inFolder { folder in
            let error = await #expect(throws: ControlError.self) {
                try await ControlClient(folder: folder).send(ControlRequest("status"))
            }
            #expect(
                error?.description
                    == "no master is running in \(folder); start one with 'start', or name its "
                    + "folder with --basedir")
        }
    }

    @Test func `a master that does not answer is named, with what to do`() async throws {
        try await inFolder("/base") { folder in
            let lock = try StoreLock(StoreFolder(path: folder))
            defer { lock.release() }
            let place = try POSIX.open(FilePath(folder), O_RDONLY | O_DIRECTORY)
            let silent = try UnixSocket.listen(in: place, name: ControlSocket.fileName)
            let error = await #expect(throws: ControlError.self) {
                let client = ControlClient(folder: folder, patience: .seconds(1))
                try await client.send(ControlRequest("status"))
            }
            silent.close()
            let process = ProcessInfo.processInfo.processIdentifier
            #expect(
                error?.description
                    == "the master of \(folder) (process \(process)) has not answered for 1 second: "
                    + "it is suspended, or its machine has too much to do; look at its log, or end "
                    + "it with 'kill -9 \(process)', which loses nothing")
        }
    }

    @Test func `a master whose socket was removed is named`() async throws {
        try await MasterBench.with("steps: []") { bench in
            try await bench.run { _ in
                try FileManager.default.removeItem(atPath: bench.basedir + "/control")
                let error = await #expect(throws: ControlError.self) {
                    try await ControlClient(folder: bench.basedir).send(ControlRequest("status"))
                }
                let process = ProcessInfo.processInfo.processIdentifier
                #expect(
                    error?.description
                        == "the master of \(bench.basedir) (process \(process)) does not answer: it "
                        + "is starting or ending, or the socket 'control' in its folder has been "
                        + "removed; try again, or end it with 'kill'")
            }
        }
    }

    @Test func `a folder whose lock was removed is still in use`() async throws {
        try await MasterBench.with("steps: []") { bench in
            try await bench.run { _ in
                try FileManager.default.removeItem(atPath: bench.basedir + "/lock")
                let error = await #expect(throws: StoreError.self) {
                    try await Store.open(folder: bench.basedir).close()
                }
                #expect(error?.code == .locked)
                #expect(error?.message.contains("though its file 'lock' was removed") == true)
                #expect(ControlSocket.isServed(in: bench.basedir))
            }
        }
    }

    @Test func `a socket in the place of a folder that was moved is left alone`() async throws {
        try await inFolder("/base") { folder in
            let first = try ControlSocket(folder: folder) { _, _ in }
            try FileManager.default.moveItem(atPath: folder, toPath: folder + "-moved")
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let second = try ControlSocket(folder: folder) { _, _ in }
            first.close()
            #expect(FileManager.default.fileExists(atPath: folder + "/control"))
            #expect(!FileManager.default.fileExists(atPath: folder + "-moved/control"))
            second.close()
        }
    }

    @Test func `a run takes no commands`() async throws {
        try await MasterBench.with("steps: []") { bench in
            try await bench.run { _ in
                let error = await #expect(throws: ControlError.self) {
                    try await ControlClient(folder: bench.basedir).send(ControlRequest("status"))
                }
                #expect(error?.description.hasPrefix("the master that is running here was") == true)
            }
        }
    }

    @Test func `a running master sends at once what a command lets it send again`() async throws {
        try await withLoopbackServer { _ in
            .text("gone", status: 410)
        } _: { server in
            let yaml = """
                services: [reporters.HttpStatusPush: '\(server.url)']
                steps: [steps.SetProperty: {property: p, value: 1}]
                """
            try await MasterBench.with(yaml) { bench in
                try await bench.run { master in
                    _ = try await master.build()
                    await server.waitForRequests(1)
                    let start = ContinuousClock.now
                    try await DeliveryAdmin.with(folder: bench.basedir) { admin in
                        while try await admin?.resume(reporter: "HttpStatusPush") == false {
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    await server.waitForRequests(2)
                    #expect(ContinuousClock.now - start < .seconds(5))
                }
            }
        }
    }
}
