import Foundation
import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterRuntime

/// What builds give on a stock `buildbot-worker`, compared with this machine.
@Suite(.timeLimit(.minutes(4)))
struct SameBuildsTests {
    // MARK: Builds

    /// The lines of what builds give: results, state texts, properties, and their logs by streams.
    private static func outcome(
        of builds: [FinishedBuild], in folder: TemporaryFolder
    ) throws -> [String] {
        var lines: [String] = []
        for finished in builds.sorted(by: { $0.build.number < $1.build.number }) {
            var own = [results(finished.build.results, finished.build.stateString)]
            own += finished.notReached.map { "not reached: \($0)" }
            for (name, entry) in finished.build.properties.entries.sorted(by: { $0.key < $1.key }) {
                own.append("property \(name): \(entry.value) by \(entry.source)")
            }
            for step in finished.steps {
                let isHidden = step.isHidden ? "hidden " : ""
                own.append(
                    "step \(step.name): \(isHidden)\(results(step.results, step.stateString))")
                own += step.urls.map { "url \($0)" }
                for log in finished.logs[step.number, default: []].sorted() {
                    own += try streams(of: log).map { "\(step.name): \($0)" }
                }
            }
            let root = finished.build.properties["builddir"]?.stringValue ?? ""
            lines += own.map { line in
                "\(finished.builder): \(uniform(line, root, folder.path))"
            }
        }
        return lines
    }

    private static func results(_ results: Results?, _ state: String) -> String {
        "\(results.map { "\($0)" } ?? "none"), \(state)"
    }

    /// The lines of a log, those of each stream together.
    private static func streams(of log: String) throws -> [String] {
        let name = URL(filePath: log).lastPathComponent
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        return Dictionary(grouping: lines) { $0.first ?? " " }.sorted { $0.key < $1.key }
            .flatMap(\.value).map { "\(name): \($0)" }
    }

    /// A line without what differs between two builds on the same machine.
    private static func uniform(_ line: String, _ builddir: String, _ folder: String) -> String {
        line.replacing("\(builddir)/build", with: "WORKDIR").replacing(builddir, with: "BUILDDIR")
            .replacing("\(folder)/worker/w1", with: "BASE")
            .replacing("\(folder)/base/work", with: "BASE")
            .replacing("\(folder)/base\"", with: "BASE\"")
            .replacing("\(folder)/base", with: "ABOVE").replacing("\(folder)/worker", with: "ABOVE")
            .replacing(folder, with: "WORKDIR")
            .replacing(/elapsedTime=[0-9.]+/, with: "elapsedTime=T")
            .replacing(/maxTime [0-9.]+/, with: "maxTime T")
            .replacing(/ran for [0-9.]+ seconds?/, with: "ran for T seconds")
            .replacing(/[0-9.]+ ?(ms|s|sec)\b/, with: "T s")
            .replacing(/\ +T s/, with: " T s")
            .replacing(/\([0-9]+\)/, with: "(PID)")
            // There is no such setting on a worker.
            .replacing(", or set outside: true if this is intended", with: "")
    }

    // MARK: Masters

    /// Builds everything of a file, on a stock worker or on this machine.
    private static func lines(
        of file: String, on worker: String, builders: [String]
    ) async throws -> [String] {
        let text = """
            protocols: {msgpack: 0}
            workers:
              - \(worker)

            """
        return try await StockWorkerTests.with(text + file) { master, folder, port in
            @Sendable func build() async throws -> [String] {
                let submission = try await master.submit(
                    BuildsetRequest(builders: builders, reason: "test"))
                return try outcome(of: try await master.wait(for: submission), in: folder)
            }
            guard worker.contains("password") else { return try await build() }
            return try await StockWorkerTests.working(
                "w1", port: port, in: folder, for: master, at: "worker/w1", build)
        }
    }

    private static func compare(_ file: String, _ builders: [String]) async throws {
        async let remote = lines(
            of: file, on: "workers.Worker: {name: w1, password: 'a:b', max_builds: 3}",
            builders: builders)
        async let local = lines(
            of: file, on: "workers.Local: {name: w1, max_builds: 3}", builders: builders)
        let difference = try await remote.difference(from: local)
        #expect(try await !local.isEmpty)
        for change in difference {
            switch change {
            case .insert(_, let line, _): Issue.record("only on the worker: \(line)")
            case .remove(_, let line, _): Issue.record("only on this machine: \(line)")
            }
        }
    }

    // MARK: Factories

    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Answers with files, as git fetches them from a server that knows nothing of git.
    private static func answer(_ request: ReceivedRequest, from folder: String) -> ServerAnswer {
        let path = request.target.prefix { $0 != "?" }
        guard let data = FileManager.default.contents(atPath: folder + path) else {
            return .text("no\n", status: 404)
        }
        return .respond(body: Array(data))
    }

    private static func makeRepository(in folder: TemporaryFolder) async throws {
        let files = [
            "configure": "echo configured; echo checked >&2\n",
            "Makefile": """
            all:
            \t@echo 'a.c:1: warning: x'
            \t@echo built > built.txt
            broken:
            \t@echo 'b.c:1: error: y' >&2; exit 1

            """,
            "test_one.py": """
            import unittest
            class One(unittest.TestCase):
                def test_good(self): pass
                def test_bad(self): self.assertEqual(1, 2)
                @unittest.skip("no")
                def test_skipped(self): pass

            """,
            "native/CMakeLists.txt": """
            cmake_minimum_required(VERSION 3.13)
            project(one LANGUAGES NONE)
            enable_testing()
            add_test(NAME good COMMAND true)
            add_test(NAME bad COMMAND false)

            """,
        ]
        for (name, text) in files { try folder.write(text, to: "source/\(name)") }
        let words = """
            export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b
            export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
            cd source && git init -q -b main && git add . && git commit -q -m one && git tag v1
            echo more >configure && git commit -q -a -m two && cd ..
            git clone -q --bare source app.git && cd app.git && git update-server-info
            """
        let made = try await LocalWorker(root: folder.path).run(
            .shell(Command.Shell(.script(words), in: folder.path))
        ) { _ in }
        #expect(made.isSuccess)
    }

    @Test func `factories give the same on a stock worker as on this machine`() async throws {
        let file = try String(
            contentsOfFile: "\(Self.package)/Tests/MasterWorkersTests/Fixtures/factories.yaml",
            encoding: .utf8)
        let builders = file.matches(of: /\n  - name: (\w+)/).map { String($0.1) }
        #expect(builders.count == 6)
        try await withTemporaryFolder { folder in
            try await Self.makeRepository(in: folder)
            try await withLoopbackServer(handler: { Self.answer($0, from: folder.path) }) {
                server in
                try await Self.compare(file.replacing("SERVER", with: server.url), builders)
            }
        }
    }

    // MARK: Examples

    private static let examples: [String: [String]] = [
        "CommitStatus": ["default"], "GenericWebhook": ["default"], "HelloBuild": ["default"],
        "PackFiles": ["pack"], "Release": ["release"], "RestNotify": ["default"],
        "Service": ["test", "package"], "SlackWebhook": ["app", "docs"],
        "StatusPush": ["good", "bad"], "Workers": ["test", "archive"],
    ]
    private static let others = [
        "BackgroundServer": "a master can't see a port of the worker's machine",
        "CustomMaster": "it has plugins of its own", "CustomPlugin": "it has plugins of its own",
        "SwiftPackage": "it compiles for minutes",
    ]

    @Test(arguments: examples.keys.sorted())
    func `an example gives the same on a stock worker as on this machine`(
        _ name: String
    ) async throws {
        let text = try String(
            contentsOfFile: "\(Self.package)/Examples/\(name)/master.yaml", encoding: .utf8)
        // Its builders, without its own workers and reporters.
        let kept = ["steps:", "builders:", "properties:", "locks:"]
        let sections = text.split(separator: /\n(?=[a-z])/).filter { section in
            kept.contains { section.hasPrefix($0) }
        }
        try await withLoopbackServer { server in
            let file = sections.joined(separator: "\n")
                .replacing(/worker(names|tags): .*/, with: "workernames: [w1]")
                .replacing("127.0.0.1:9980", with: "127.0.0.1:\(server.port)")
            try await Self.compare(file + "\n", Self.examples[name] ?? [])
        }
    }

    @Test func `every example is compared, or it is said why not`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(Self.package)/Examples")
        #expect(Set(names) == Set(Self.examples.keys).union(Self.others.keys))
    }
}
