import FoundationEssentials
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
        _ folder: String, _ told: Journal<ControlSocket.Request>,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let socket = try ControlSocket(folder: folder) { told.add($0) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await socket.run() }
            let value = try await body()
            group.cancelAll()
            try await group.waitForAll()
            return value
        }
    }

    @Test(arguments: ["", "/" + String(repeating: "a", count: 120)])
    func `a request is carried out before it is answered, however long the path`(
        name: String
    ) async throws {
        let told = Journal<ControlSocket.Request>()
        try await inFolder(name) { folder in
            #expect(!ControlSocket.send(.deliveriesChanged, to: folder))
            try await running(folder, told) {
                #expect(ControlSocket.send(.deliveriesChanged, to: folder))
                #expect(told.entries == [.deliveriesChanged])
                let mode = try FileManager.default.attributesOfItem(atPath: folder + "/control")[
                    .posixPermissions]
                #expect(mode as? Int == 0o600)
            }
            #expect(!ControlSocket.send(.deliveriesChanged, to: folder))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test func `what a killed master left is replaced, and a folder in its place is told`()
        async throws
    {
        try await inFolder { folder in
            let path = folder + "/control"
            #expect(FileManager.default.createFile(atPath: path, contents: Data("old".utf8)))
            let told = Journal<ControlSocket.Request>()
            try await running(folder, told) {
                #expect(ControlSocket.send(.deliveriesChanged, to: folder))
            }
            try FileManager.default.createDirectory(
                atPath: path + "/sub", withIntermediateDirectories: true)
            let fault = #expect(throws: ControlFault.self) {
                try ControlSocket(folder: folder) { _ in }
            }
            #expect(fault?.description.hasPrefix("the control socket \(path) cannot be") == true)
        }
    }

    @Test func `somebody who says nothing holds up others for a second at most`() async throws {
        let told = Journal<ControlSocket.Request>()
        try await inFolder { folder in
            try await running(folder, told) {
                let silent = UnixSocket.connect(
                    in: FilePath(folder), name: ControlSocket.fileName, patience: .seconds(1))
                #expect(silent != nil)
                _ = ControlSocket.send(.deliveriesChanged, to: folder)
                await told.wait(for: 1)
                silent?.close()
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
