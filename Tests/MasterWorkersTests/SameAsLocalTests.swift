import FoundationEssentials
import Glibc
import MasterKit
import MasterTesting
import StandardPlugins
import Synchronization
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// What commands and builds give on a stock `buildbot-worker`, compared with this machine.
@Suite(.timeLimit(.minutes(3)))
struct SameAsLocalTests {
    // MARK: Commands

    /// A command, and how the test deals with it.
    private struct Case: Sendable {
        let name: String
        let command: Command
        /// Whether to stop it as soon as it has written a line.
        var isStopped = false
        var input: [UInt8] = []
    }

    private static func shell(
        _ invocation: Command.Invocation, _ root: String,
        _ change: (inout Command.Shell) -> Void = { _ in }
    ) -> Command {
        var shell = Command.Shell(invocation, in: root + "/b1")
        shell.timeout = .seconds(60)
        change(&shell)
        return .shell(shell)
    }

    /// Commands such as a master sends, in order; later ones find what earlier ones have left.
    private static func cases(_ root: String) -> [Case] {
        let b1 = root + "/b1"
        let long = "printf '%\(10_000)s\\n' x | tr ' ' y"
        return [
            Case(name: "mkdir", command: .mkdir(.init(b1 + "/dir/sub"))),
            Case(name: "mkdir, exists", command: .mkdir(.init(b1 + "/dir/sub"))),
            Case(
                name: "download", command: .downloadFile(.init(b1 + "/dir/a.txt")),
                input: Array("content\n".utf8)),
            Case(
                name: "download, permissions",
                command: .downloadFile(.init(b1 + "/dir/sub/tool", permissions: 0o750)),
                input: Array("#!/bin/sh\necho tool\n".utf8)),
            Case(name: "mkdir, below a file", command: .mkdir(.init(b1 + "/dir/a.txt/x"))),
            Case(
                name: "download, to a folder", command: .downloadFile(.init(b1 + "/dir")),
                input: [1]),
            Case(
                name: "download, too large",
                command: .downloadFile(.init(b1 + "/large", maxByteCount: 3)),
                input: [1, 2, 3, 4, 5]),

            Case(name: "words", command: shell(["echo", "two words", "$HOME"], root)),
            Case(name: "text", command: shell("echo one; echo two >&2; echo three", root)),
            Case(name: "exit code", command: shell("exit 7", root)),
            Case(name: "no such program", command: shell(["no-such-program"], root)),
            Case(name: "not executable", command: shell(["./dir/a.txt"], root)),
            Case(name: "a path", command: shell(["./dir/sub/tool"], root)),
            Case(
                name: "no folder",
                command: .shell(Command.Shell("true", in: root + "/missing"))),
            Case(name: "signal", command: shell("kill -SEGV $$", root)),
            Case(
                name: "environment",
                command: shell("echo $A-$B-${LANG-unset}", root) {
                    $0.environment = ["A": "a a", "B": "b"]
                    $0.environment.updateValue(nil, forKey: "LANG")
                }),
            Case(
                name: "a variable of the worker in a variable",
                command: shell("echo \"$P\" | sed 's/.*:/:/'", root) {
                    $0.environment = ["P": "${PATH}:x${NO_SUCH}y"]
                }),
            Case(
                name: "silence",
                command: shell("echo begun; sleep 60", root) {
                    $0.timeout = .milliseconds(400)
                    $0.terminationGrace = .milliseconds(200)
                }),
            Case(
                name: "time limit",
                command: shell("echo begun; sleep 60", root) {
                    $0.maxTime = .milliseconds(500)
                    $0.terminationGrace = .milliseconds(200)
                }),
            Case(
                name: "time limit, ends itself",
                command: shell("trap 'echo end; exit 4' TERM; echo begun; sleep 60 & wait", root) {
                    $0.maxTime = .milliseconds(500)
                    $0.terminationGrace = .seconds(5)
                }),
            Case(
                name: "lines",
                command: shell("echo 1; echo 2; echo 3; echo 4; sleep 60", root) {
                    $0.maxLines = 3
                }),
            Case(
                name: "input",
                command: shell("cat; echo end", root) { $0.stdin = Array("in\n".utf8) }
            ),
            Case(name: "no input", command: shell("cat; echo end", root)),
            Case(
                name: "no stdout",
                command: shell("echo out; echo err >&2", root) { $0.wantsStdout = false }),
            Case(
                name: "no stderr",
                command: shell("echo out; echo err >&2", root) { $0.wantsStderr = false }),
            Case(
                name: "merged",
                command: shell("echo out; echo err >&2; echo out", root) { $0.mergesStreams = true }
            ),
            Case(
                name: "terminal",
                command: shell("test -t 1 && echo terminal", root) { $0.usesTerminal = true }),
            Case(
                name: "log file",
                command: shell("echo line > file.log; sleep 0.1", root) {
                    $0.logFiles = [.init("file", at: "file.log")]
                }),
            Case(name: "long lines", command: shell(.script("\(long); \(long)"), root)),
            Case(name: "many lines", command: shell("seq 20000", root)),
            Case(
                name: "umlauts", command: shell("printf 'gr\\303\\274n \\342\\202\\254\\n'", root)),
            Case(
                name: "stopped", command: shell("echo begun; sleep 60", root), isStopped: true),
            Case(
                name: "stopped, ignores TERM",
                command: shell("trap '' TERM; echo begun; sleep 60", root) {
                    $0.interruptSignal = .terminate
                    $0.terminationGrace = .milliseconds(200)
                }, isStopped: true),

            Case(name: "upload", command: .uploadFile(.init(b1 + "/dir/a.txt"))),
            Case(name: "upload, missing", command: .uploadFile(.init(b1 + "/none"))),
            Case(name: "upload, a folder", command: .uploadFile(.init(b1 + "/dir"))),
            Case(
                name: "upload, too large",
                command: .uploadFile(.init(b1 + "/dir/a.txt", maxByteCount: 3))),
            Case(name: "stat", command: .stat(.init(b1 + "/dir/sub/tool"))),
            Case(name: "stat, a folder", command: .stat(.init(b1 + "/dir"))),
            Case(name: "stat, missing", command: .stat(.init(b1 + "/none"))),
            Case(name: "stat, below a file", command: .stat(.init(b1 + "/dir/a.txt/x"))),
            Case(name: "a link", command: shell("ln -s a.txt dir/link; ln -s gone dir/dead", root)),
            Case(name: "stat, a link", command: .stat(.init(b1 + "/dir/link"))),
            Case(
                name: "stat, the link itself",
                command: .stat(.init(b1 + "/dir/link", followsLinks: false))),
            Case(name: "stat, a dead link", command: .stat(.init(b1 + "/dir/dead"))),
            Case(name: "glob", command: .glob(.init("*", in: b1 + "/dir"))),
            Case(name: "glob, deep", command: .glob(.init("**/t*", in: b1 + "/dir"))),
            Case(name: "glob, nothing", command: .glob(.init("*.none", in: b1))),
            Case(name: "listdir", command: .listdir(.init(b1 + "/dir"))),
            Case(name: "listdir, missing", command: .listdir(.init(b1 + "/none"))),
            Case(name: "cpdir", command: .cpdir(.init(from: b1 + "/dir", to: b1 + "/copy"))),
            Case(name: "cpdir, again", command: .cpdir(.init(from: b1 + "/dir", to: b1 + "/copy"))),
            Case(name: "the copy", command: shell("find copy | LC_ALL=C sort", root)),
            Case(
                name: "cpdir, missing",
                command: .cpdir(.init(from: b1 + "/none", to: b1 + "/other"))),
            Case(name: "rmdir", command: .rmdir(.init(b1 + "/copy"))),
            Case(name: "rmdir, missing", command: .rmdir(.init(b1 + "/copy"))),
            Case(name: "what is left", command: .listdir(.init(b1))),
        ]
    }

    /// Where the worker may differ, and how.
    private static let differences = [
        "no folder": "a stock worker creates the folder in which a program is to run"
    ]

    /// What a command does on a worker: its end, and the lines of each stream.
    private static func outcome(
        of item: Case, on worker: any Worker, in root: String
    ) async -> [String] {
        let output = Mutex<[String: String]>([:])
        let task = Mutex<Task<CommandResult, any Error>?>(nil)
        let rest = Mutex(item.input)
        let hasBegun = Signal()
        let work = Task {
            try await worker.run(
                item.command,
                input: CommandInput { limit in
                    rest.withLock { rest in
                        defer { rest.removeFirst(min(limit, rest.count)) }
                        return Array(rest.prefix(limit))
                    }
                }
            ) { update in
                let (stream, bytes): (String, [UInt8])
                switch update.content {
                case .output(let name, let content): (stream, bytes) = (name.rawValue, content)
                case .content(let content): (stream, bytes) = ("content", content)
                case .logFile(let name, let content): (stream, bytes) = ("log \(name)", content)
                case .header(let text): (stream, bytes) = ("header", Array(text.utf8))
                case .started, .ended: return
                }
                output.withLock {
                    $0[stream, default: ""] += String(decoding: bytes, as: UTF8.self)
                }
                if stream == "stdout" { hasBegun.raise() }
            }
        }
        task.withLock { $0 = work }
        if item.isStopped {
            await hasBegun.wait()
            work.cancel()
        }
        var lines: [String] = []
        do {
            let result = try await work.value
            var value = "\(result.value)"
            if case .status(let status?) = result.value {
                // The size of a folder is that of its file system.
                value =
                    "\(status.kind) \(status.permissions) "
                    + (status.kind == .file ? "\(status.byteCount)" : "")
            }
            lines.append("\(result.ending) \(result.timedOut as Any) \(value)")
        } catch let error as CommandError {
            lines.append("error \(error.code.rawValue)")
        } catch {
            lines.append("\(error)")
        }
        for (stream, text) in output.withLock(\.self).sorted(by: { $0.key < $1.key }) {
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                let line = line.replacing(root, with: "ROOT")
                    .replacing(/elapsedTime=[0-9.]+/, with: "elapsedTime=T")
                lines.append("\(stream): \(line)")
            }
        }
        return lines
    }

    @Test func `commands end and write the same on a stock worker as on this machine`()
        async throws
    {
        try await StockWorkerTests.with { master, folder, port in
            try await StockWorkerTests.working("w1", port: port, in: folder, for: master) {
                let lease = try #require(master.pool.lease(for: "commands", on: "w1"))
                defer { master.pool.release(lease) }
                let roots = ("\(folder.path)/w1", "\(folder.path)/here")
                let here = LocalWorker(root: roots.1)
                for (there, local) in zip(Self.cases(roots.0), Self.cases(roots.1)) {
                    let remote = await Self.outcome(of: there, on: lease.worker, in: roots.0)
                    let own = await Self.outcome(of: local, on: here, in: roots.1)
                    let differs = Self.differences[there.name] != nil
                    #expect(
                        (remote == own) != differs,
                        "\(there.name)\n\(remote.prefix(20))\n\(own.prefix(20))")
                }
            }
        }
    }
}
