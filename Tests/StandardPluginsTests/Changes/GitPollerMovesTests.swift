import Foundation
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Synchronization
import Testing

/// What is pushed while a poller looks.
@Suite(.timeLimit(.minutes(1)))
struct GitPollerMovesTests {
    /// A worker that does something before it fetches.
    private struct Interrupted: Worker {
        let name = "interrupted"
        let worker: LocalWorker
        let beforeFetch: @Sendable () async throws -> Void

        func run(
            _ command: Command, input: CommandInput,
            updates: (CommandUpdate) async throws -> Void
        ) async throws -> CommandResult {
            if case .shell(let shell) = command, "\(shell)".contains("git fetch") {
                try await beforeFetch()
            }
            return try await worker.run(command, input: input, updates: updates)
        }
    }

    @Test func `a commit that comes between the list of branches and their fetch is not lost`()
        async throws
    {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let folder = git.folder.path + "/poll"
            let fetches = Counter()
            let worker = Interrupted(worker: LocalWorker(root: folder)) {
                if fetches.increment() == 2 { _ = try await git.commit("meanwhile", to: "b") }
            }
            let harness = try ChangeSourceHarness(worker: worker, folder: folder)
            let url = SettingLiteral(stringLiteral: git.folder.path + "/source")
            let poller = try GitPoller.configured(["repourl": url, "branches": true])
            try await harness.run(poller, waits: 3) { wait in
                guard wait == 1 else { return }
                // As after a restore from a backup: what is not in it is fetched again.
                try FileManager.default.removeItem(atPath: folder + "/.git")
                try await git.source(["branch", "side"])
            }
            #expect(harness.changes.map(\.comments) == ["meanwhile"])
        }
    }

    @Test func `a folder that is older than the state reports nothing again`() async throws {
        try await GitFolder.with { git in
            _ = try await git.commit("zero", to: "a")
            let folder = git.folder.path + "/poll"
            let harness = try ChangeSourceHarness(worker: LocalWorker(root: folder), folder: folder)
            let url = SettingLiteral(stringLiteral: git.folder.path + "/source")
            let poller = try GitPoller.configured(["repourl": url, "branches": true])
            let files = FileManager.default
            try await harness.run(poller, waits: 4) { wait in
                switch wait {
                case 1:
                    try files.copyItem(atPath: folder + "/.git", toPath: folder + "/copy")
                    _ = try await git.commit("one", to: "a")
                case 2:
                    try files.removeItem(atPath: folder + "/.git")
                    try files.moveItem(atPath: folder + "/copy", toPath: folder + "/.git")
                    try await git.source(["branch", "side", "HEAD~1"])
                default: break
                }
            }
            #expect(harness.changes.map(\.comments) == ["one"])
        }
    }
}

private final class Counter: Sendable {
    private let count = Mutex(0)

    func increment() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
