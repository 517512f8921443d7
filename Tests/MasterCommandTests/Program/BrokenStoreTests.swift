import FoundationEssentials
import MasterTesting
import Subprocess
import Testing

/// A full disk, and damaged store files.
@Suite(.timeLimit(.minutes(3)))
struct BrokenStoreTests {
    /// A build that takes as long as there is a file named `wait`.
    private static func file(_ url: String, builders: Int = 1) -> String {
        let list = (1...builders).map { "  - {name: b\($0)}" }.joined(separator: "\n")
        return """
            services:
              - reporters.HttpStatusPush: \(url)/status
            steps:
              - steps.SetProperty: {property: a, value: b}
              - steps.ShellCommand: "while test -e wait; do sleep 0.1; done"
            builders:
            \(list)
            """
    }

    @Test func `a disk that is full ends a run with a sentence, and nothing accepted is lost`()
        async throws
    {
        try await withLoopbackServer { server in
            let file = Self.file(server.url, builders: 60)
            try await Program.inFolder(["master.yaml": file]) { program in
                // Files cannot grow beyond this number of 512-byte blocks.
                let limited = ["-c", "ulimit -f 1000; exec \"$0\" run", Program.path]
                let ended = try await program.run(limited, executable: "/bin/sh") { _ in }
                #expect(ended.status == 1)
                #expect(ended.error.contains("buildmaster.sqlite cannot be read or written"))
                #expect(ended.output.contains("failure: aborted after "))
                let store = try ChaosStore(basedir: program.folder + "/.buildmaster")
                let builds = try store.builds()
                #expect(!builds.isEmpty)

                let second = try await program.run("run", "b1")
                #expect(second.status == 0, "\(second.error)")
                let arrivals = server.requests.compactMap { Arrival($0, isTaken: true) }
                #expect(arrivals.faults(expecting: try store.builds()) == [])
            }
        }
    }

    private enum Damage: String, CaseIterable {
        case databaseCut, databaseCutToHeader, databaseNoise, logCut, logNoise, logGone, logEmpty
        case indexNoise

        func apply(in folder: String) throws {
            let path = folder + "/.buildmaster/buildmaster.sqlite"
            switch self {
            case .databaseCut: try change(path) { $0.prefix($0.count / 2) }
            case .databaseCutToHeader: try change(path) { $0.prefix(100) }
            case .databaseNoise: try change(path) { Self.noise($0, from: 4096) }
            case .logCut: try change(path + "-wal") { $0.prefix($0.count / 2) }
            case .logNoise: try change(path + "-wal") { Self.noise($0, from: 32) }
            case .logGone: try FileManager.default.removeItem(atPath: path + "-wal")
            case .logEmpty: try change(path + "-wal") { $0.prefix(0) }
            case .indexNoise: try change(path + "-shm") { Self.noise($0, from: 0) }
            }
        }

        private func change(_ path: String, _ edit: (Data) -> Data) throws {
            let url = URL(filePath: path)
            try edit(try Data(contentsOf: url)).write(to: url)
        }

        private static func noise(_ data: Data, from start: Int) -> Data {
            data.prefix(start)
                + Data((start..<max(start, data.count)).map { _ in .random(in: 0...255) })
        }
    }

    @Test(arguments: Damage.allCases.map(\.rawValue))
    func `whatever is damaged, a run ends in order or says so, again and again`(
        _ name: String
    ) async throws {
        let damage = try #require(Damage(rawValue: name))
        try await withLoopbackServer { server in
            let file = Self.file(server.url)
            try await Program.inFolder(["master.yaml": file]) { program in
                _ = try await program.run("run")
                let wait = program.folder + "/wait"
                _ = FileManager.default.createFile(atPath: wait, contents: nil)
                // The write-ahead log exists only while the store is open.
                let killed = try await program.run(["run"]) { running in
                    await server.waitForRequests(3)
                    try running.send(.kill)
                }
                try #require(killed.status == -9)
                try FileManager.default.removeItem(atPath: wait)
                try damage.apply(in: program.folder)
                for arguments in [["run"], ["deliveries", "list"], ["run"]] {
                    let ended = try await program.run(arguments) { _ in }
                    #expect([0, 1].contains(ended.status), "\(arguments): \(ended.error)")
                    guard ended.status == 1 else { continue }
                    #expect(ended.error.contains("buildmaster.sqlite"), "\(ended.error)")
                    #expect(ended.error.contains("damaged"), "\(ended.error)")
                }
            }
        }
    }
}
