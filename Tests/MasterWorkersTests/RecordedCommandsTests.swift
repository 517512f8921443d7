import FoundationEssentials
import MasterKit
import MasterTesting
import OrderedCollections
import StandardPlugins
import Synchronization
import Testing

@testable import MasterRuntime
@testable import MasterWorkers

/// Commands that a stock worker was once seen to carry out, given to one by this master.
///
/// `Fixtures/commands.json` has all of them, in order: what was recorded, or why this master has no
/// use for the command. Limits of one second are three there, as a busy machine takes a while to start
/// a program.
@Suite(.timeLimit(.minutes(2)))
struct RecordedCommandsTests {
    /// One command, and what was recorded of it.
    private struct Recorded: Sendable {
        let of: String
        let command: String
        let arguments: MessagePack
        let isInterrupted: Bool
        /// What depends on the moment at which a signal comes, or the pipes are closed.
        let chance: Set<String>
        /// The exit code, how the command ended, the kinds of updates, and its output.
        let expected: Outcome

        /// The path in an argument.
        func path(_ name: String = "path") throws -> String {
            try #require(arguments[name]?.text, "\(of)")
        }

        var paths: [String] { arguments["paths"]?.list?.compactMap(\.text) ?? [] }
    }

    private struct Outcome: Sendable, Equatable {
        var code: Int?
        var end = "complete"
        var kinds: Set<String> = []
        /// The output by streams; `nil` if it is never the same.
        var text: [String: String]?
    }

    // MARK: The recorded commands

    private static func packed(_ value: JSONValue, _ basedir: String) -> MessagePack {
        switch value {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .number(let number):
            return Int("\(number)").map { .int(Int64($0)) } ?? .double(Double("\(number)") ?? 0)
        case .string(let text): return .text(text.replacing("<BASEDIR>", with: basedir))
        case .array(let items): return .list(items.map { packed($0, basedir) })
        case .object(let object):
            var map: OrderedDictionary<String, MessagePack> = [:]
            for (key, item) in object { map[key] = packed(item, basedir) }
            return .map(map)
        }
    }

    private static func recorded(_ basedir: String) throws -> [Recorded] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().path
        let json = try JSONValue(
            parsing: Array(Data(contentsOf: URL(filePath: "\(file)/Fixtures/commands.json"))))
        guard case .array(let items) = json else { return [] }
        #expect(items.count == 145)
        return try items.compactMap { item in
            let (of, command) = (item["of"]?.stringValue ?? "", item["command"]?.stringValue ?? "")
            if let reason = item["unused"]?.stringValue {
                #expect(reason.count > 10, "\(of)")
                return nil
            }
            let whole = packed(item, basedir)
            return Recorded(
                of: of, command: command, arguments: try #require(whole["arguments"], "\(of)"),
                isInterrupted: item["isInterrupted"] == .bool(true),
                chance: Set(whole["chance"]?.list?.compactMap(\.text) ?? []),
                expected: Outcome(
                    code: whole["rc"]?.int, end: whole["end"]?.text ?? "",
                    kinds: Set(whole["kinds"]?.list?.compactMap(\.text) ?? []),
                    text: whole["text"]?.map.map { map in
                        Dictionary(uniqueKeysWithValues: map.map { ($0.key, $0.value.text ?? "") })
                    }))
        }
    }

    // MARK: Carrying them out

    /// What this master sends for a recorded command: several of it where it does one at a time.
    private static func commands(
        of recorded: Recorded, on worker: RemoteWorker
    ) throws -> [WireCommand] {
        switch recorded.command {
        case "shell": return [.shell(try #require(recorded.arguments.map))]
        case "mkdir": return recorded.paths.map { .mkdir($0) }
        case "rmdir":
            return try recorded.paths.map { .rmdir(try OwnPath($0, to: "removed", on: worker)) }
        case "cpdir":
            let target = try OwnPath(recorded.path("to_path"), to: "overwritten", on: worker)
            return [.cpdir(from: try recorded.path("from_path"), to: target)]
        case "stat": return [.stat(try recorded.path())]
        case "glob": return [.glob(try recorded.path())]
        case "listdir": return [.listdir(try recorded.path())]
        case "upload_file":
            let size = recorded.arguments["blocksize"]?.int ?? 0
            let limit = recorded.arguments["maxsize"]?.int
            return [.upload(try recorded.path(), blockSize: size, maximum: limit)]
        case "download_file":
            let mode = recorded.arguments["mode"]?.int ?? 0o644
            return [
                .download(to: try recorded.path(), blockSize: 16384, permissions: UInt32(mode))
            ]
        default:
            Issue.record("\(recorded.of): no command for \(recorded.command)")
            return []
        }
    }

    private static func outcome(of recorded: Recorded, on worker: RemoteWorker) async throws
        -> Outcome
    {
        var outcome = Outcome(text: [:])
        for command in try commands(of: recorded, on: worker) {
            let next = await perform(command, on: worker, isInterrupted: recorded.isInterrupted)
            outcome.kinds.formUnion(next.kinds)
            outcome.text?.merge(next.text ?? [:]) { $0 + $1 }
            (outcome.code, outcome.end) = (next.code, next.end)
            if next.code != 0 { break }
        }
        if recorded.expected.text == nil { outcome.text = nil }
        outcome.kinds.subtract(recorded.chance)
        if recorded.chance.contains("rc") { outcome.code = nil }
        return outcome
    }

    /// Runs one command, and answers the messages of a transfer.
    private static func perform(
        _ command: WireCommand, on worker: RemoteWorker, isInterrupted: Bool
    ) async -> Outcome {
        let outcome = Mutex(Outcome(text: [:]))
        let content = Mutex(Array("content\n".utf8))
        let hasBegun = Signal()
        let work = Task {
            try await worker.perform(command) { message in
                switch message {
                case .update(let pairs):
                    for (key, value) in pairs where !["header", "elapsed"].contains(key) {
                        let text =
                            ["stdout", "stderr"].contains(key) ? value.list?.first?.text : nil
                        outcome.withLock { outcome in
                            if key == "rc" {
                                outcome.code = value.int
                            } else {
                                outcome.kinds.insert(key)
                            }
                            if let text { outcome.text?[key, default: ""] += text }
                        }
                        if text != nil { hasBegun.raise() }
                    }
                case .write(_, let number):
                    outcome.withLock { _ = $0.kinds.insert("write") }
                    hasBegun.raise()
                    if !isInterrupted { worker.connection.answer(number) }
                    while isInterrupted, !Task.isCancelled { await Task.yield() }
                    if isInterrupted { worker.connection.answer(number) }
                case .read(_, let number):
                    outcome.withLock { _ = $0.kinds.insert("read") }
                    let bytes = content.withLock { content in
                        defer { content = [] }
                        return content
                    }
                    worker.connection.answer(number, with: .bytes(bytes))
                case .closed(let number):
                    outcome.withLock { _ = $0.kinds.insert("closed") }
                    worker.connection.answer(number)
                case .complete: break
                }
            }
        }
        if isInterrupted {
            await hasBegun.wait()
            work.cancel()
        }
        do {
            _ = try await work.value
        } catch is CancellationError where isInterrupted {
        } catch {
            let isRefused = "\(error)".contains("refuses the command")
            outcome.withLock { $0.end = isRefused ? "refused" : "failure" }
        }
        return outcome.withLock(\.self)
    }

    /// What the recorded commands expect to be there.
    private static let preparation = """
        mkdir -p b1/dir/sub b/inv leftover; chmod 755 .
        head -c 51200 /dev/zero >b1/up.bin; cp b1/up.bin b1/big
        echo a >b1/dir/a.txt; echo b >b1/dir/sub/b.txt; : >b1/dir/sub/empty
        ln -s a.txt b1/dir/link; touch leftfile
        touch "$(printf 'b/inv/\\377')"
        echo old >b1/f.log
        """

    @Test func `each recorded command ends as it did`() async throws {
        try await StockWorkerTests.with { master, folder, port in
            try await StockWorkerTests.working("w1", port: port, in: folder, for: master) {
                let lease = try #require(master.pool.lease(for: "commands", on: "w1"))
                defer { master.pool.release(lease) }
                let worker = try #require(lease.worker as? RemoteWorker)
                let basedir = worker.info.basedir
                let made = try await worker.run(
                    .shell(Command.Shell(.script(Self.preparation), in: basedir))
                ) { _ in }
                #expect(made.isSuccess)
                let all = try Self.recorded(basedir)
                // Those of programs do not depend on each other, and some wait for seconds.
                let isProgram = { (item: Recorded) in
                    item.command == "shell" && !item.of.hasPrefix("s")
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for item in all where isProgram(item) {
                        group.addTask {
                            let found = try await Self.outcome(of: item, on: worker)
                            #expect(found == item.expected, "\(item.of)")
                        }
                    }
                    for item in all where !isProgram(item) {
                        let found = try await Self.outcome(of: item, on: worker)
                        #expect(found == item.expected, "\(item.of) \(item.command)")
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
