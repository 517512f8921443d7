import Foundation
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// A change source that finds one change an hour.
private struct Hourly: ChangeSource {
    static let summary = "Finds a change an hour."
    @Setting("The author.", .primary) var author = "me"

    var standardName: String? { "hourly of \(author)" }

    func run(in context: ChangeSourceContext) async throws {
        while true {
            try await context.sleep(for: .seconds(3600))
            let count = (try await context.state()?.intValue ?? 0) + 1
            let result = try await context.run(.mkdir(.init("kept")))
            let change = Change(
                author: author, comments: "\(count) \(result.isSuccess) \(context.folder)",
                sourceStamp: SourceStamp(branch: "main", revision: "\(count)"), when: context.now)
            try await context.addChanges([change], saving: .int(count))
        }
    }
}

/// A change source that has a problem for an hour, and then fails.
private struct Moody: ChangeSource {
    struct Gone: Error, CustomStringConvertible { let description = "gone" }

    static let summary = "Has a problem for an hour."
    @Setting("What is wrong.", .primary) var words: Renderable<String>

    func run(in context: ChangeSourceContext) async throws {
        try await context.sleep(for: .seconds(3600))
        for _ in 1...2 {
            let problem: String = try context.render(words)
            context.problem = problem
            try await context.sleep(for: .seconds(1800))
        }
        context.problem = nil
        try await context.sleep(for: .seconds(3600))
        throw Gone()
    }
}

/// Change sources in a master that stays up.
@Suite(.timeLimit(.minutes(2)))
struct ChangeSourceTests {
    private static func rows(_ master: Master, _ query: String) async throws -> [String] {
        try await master.environment.store.read { database in
            try database.all(query) { $0[0] as String }
        }
    }

    private static let query = """
        SELECT author || ' ' || revision || ' ' || ifnull(category, '-') || ' ' || project || ' '
            || codebase FROM change JOIN source_stamp ON source_stamp.id = source_stamp_id
        ORDER BY change.id
        """

    @Test func `a source adds changes with its options, and continues after a restart`()
        async throws
    {
        let yaml = """
            change_source:
              changes.Hourly: {author: ann, category: nightly, project: app, codebase: lib}
            builders: [{name: one, steps: []}]
            """
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        let end = try Date("2026-06-01T12:30:00Z", strategy: .iso8601)
        let later = try Date("2026-06-01T13:30:00Z", strategy: .iso8601)
        try await MasterBench.with(yaml, plugins: [Hourly.self]) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                while await clock.jump(before: end, whenAsleep: 1) {
                    await clock.waitForSleepers(1)
                }
                let found = try await Self.rows(master, Self.query)
                #expect(found == ["ann 1 nightly app lib", "ann 2 nightly app lib"])
            }
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                while await clock.jump(before: later, whenAsleep: 1) {
                    await clock.waitForSleepers(1)
                }
                #expect(try await Self.rows(master, Self.query).last == "ann 3 nightly app lib")
                let names = try await Self.rows(master, "SELECT name FROM change_source")
                #expect(names == ["hourly of ann"])
                let status = try await master.status()
                #expect(
                    status["change_sources"] == [
                        ["name": "hourly of ann", "key": "changes.Hourly", "problem": nil]
                    ])
                // Its folder is its own, with a name that is safe in any file system.
                let folder = "\(bench.basedir)/changes/hourly%20of%20ann"
                #expect(FileManager.default.fileExists(atPath: folder + "/kept"))
                let comments = try await Self.rows(master, "SELECT comments FROM change")
                #expect(comments.last == "3 true \(folder)")
            }
        }
    }

    @Test func `what keeps a source from its work is logged when it changes, and shown until then`()
        async throws
    {
        let yaml = """
            secrets: [secrets.Vault]
            change_source: {changes.Moody: !Interpolate "no answer\\nfrom %(secret:token)s"}
            builders: [{name: one, steps: []}]
            """
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        func problem(_ master: Master) async throws -> JSONValue? {
            try await master.status()["change_sources"]?[0]?["problem"]
        }
        try await MasterBench.with(yaml, plugins: [Moody.self, Vault.self]) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                var problems: [JSONValue?] = []
                for _ in 1...4 {
                    await clock.waitForSleepers(1)
                    problems.append(try await problem(master))
                    _ = await clock.jump(before: .distantFuture, whenAsleep: 1)
                }
                let words: JSONValue = "no answer from <token>"
                #expect(problems == [.null, words, words, .null])
                while try await problem(master) == .null {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(try await problem(master) == "failed and restarts in 1 s: gone")
                #expect(master.sourceProblems.map(\.source) == ["Moody"])
                // The next try has begun.
                await clock.waitForSleepers(1)
                #expect(try await problem(master) == .null)
            }
            let texts = bench.messages.texts.filter { $0.hasPrefix("Moody") }
            #expect(
                texts == [
                    "Moody: no answer from <token>", "Moody works again",
                    "Moody failed and restarts in 1 s: gone",
                ])
        }
    }

    @Test func `a reconfiguration replaces sources, and run starts none`() async throws {
        func yaml(_ names: String...) -> String {
            """
            change_source: [\(names.map { "changes.Hourly: {name: \($0)}" }
                .map { "{\($0)}" }.joined(separator: ", "))]
            builders: [{name: one, steps: []}]
            """
        }
        let clock = JumpingClock(try Date("2026-06-01T10:00:00Z", strategy: .iso8601))
        try await MasterBench.with(yaml("a", "b"), plugins: [Hourly.self]) { bench in
            try await bench.run(time: clock) { master in
                let names = try await Self.rows(master, "SELECT name FROM change_source")
                #expect(names == [])
            }
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(2)
                let changes = try await bench.reconfigure(master, yaml("b", "c"))
                #expect(changes.changeSources.added == ["c"])
                #expect(changes.changeSources.removed == ["a"])
                #expect(changes.changeSources.unchanged == ["b"])
                await clock.waitForSleepers(2)
            }
        }
    }

    @Test(arguments: [
        (
            "[{changes.Hourly: {name: a}}, {changes.Hourly: {name: a}}]",
            "two change sources are named 'a'; give one another 'name'"
        ),
        (
            "[changes.Hourlie]",
            "there is no plugin 'changes.Hourlie'; did you mean 'changes.Hourly'?"
        ),
    ])
    func `a wrong source is an error of the file`(_ list: String, _ message: String) async throws {
        let yaml = "change_source: \(list)\nsteps: []\n"
        try await MasterBench.with(yaml, plugins: [Hourly.self]) { bench in
            let messages = try bench.load().diagnostics.map(\.message)
            #expect(messages == [message])
        }
    }

    @Test func `texts of strangers are bounded`() async throws {
        try await MasterBench.with("steps: []\n") { bench in
            try await bench.run(resumes: true) { master in
                let change = Change(
                    author: "Eve\r\nBcc: all\u{1B}[31m" + String(repeating: "x", count: 5000),
                    comments: String(repeating: "é", count: 100_000) + "\0",
                    files: (0..<20_000).map { "f\($0)" },
                    sourceStamp: SourceStamp(branch: "a\nb", revision: "r\u{2028}1"), when: .now)
                let stored = try await master.addChange(change)
                #expect(stored.author.hasPrefix("Eve  Bcc: all [31mxxx"))
                #expect(stored.author.utf8.count == 1024)
                #expect(stored.branch == "a b")
                #expect(stored.revision == "r 1")
                #expect(stored.files.count == 10_000)
                #expect(stored.comments.utf8.count < 66_000)
                #expect(stored.comments.hasSuffix("bytes cut off)"))
                let warnings = bench.messages.texts.filter { $0.contains("the change r 1") }
                #expect(warnings.count == 2, "\(bench.messages.texts)")
                var long = change
                long.sourceStamp.branch = String(repeating: "b", count: 5000)
                let branch = long
                await #expect(throws: ChangeTooLarge.self) { try await master.addChange(branch) }
            }
        }
    }
}
