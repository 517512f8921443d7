import Foundation
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What is built of changes in a master, by a clock that the tests set.
@Suite(.timeLimit(.minutes(2)))
struct ChangeSchedulerTests {
    static let start = Date(timeIntervalSince1970: 1_780_000_000)

    static func change(
        _ branch: String = "main", _ file: String = "a.c", properties: JSONObject = [:],
        author: String = "Ann <ann@example.org>"
    ) -> Change {
        Change(
            author: author, comments: file, files: [file],
            sourceStamp: SourceStamp(
                branch: branch, revision: "of \(file)", repository: "git://h/app"),
            properties: properties, when: start)
    }

    /// The ids of the changes of each buildset.
    static func built(_ master: Master) async throws -> [[Int]] {
        try await master.environment.store.read { database in
            try database.numbers("SELECT id FROM buildset ORDER BY id", []).map { id in
                try database.numbers(
                    "SELECT change_id FROM buildset_change WHERE buildset_id = ? ORDER BY 1", [id])
            }
        }
    }

    static func revisions(_ master: Master) async throws -> [String] {
        try await master.environment.store.read { database in
            try database.all(
                "SELECT revision FROM source_stamp WHERE buildset_id IS NOT NULL ORDER BY id"
            ) { $0[0] as String? ?? "" }
        }
    }

    /// Waits until a scheduler has looked at a change.
    static func wait(for change: Int, by name: String, _ master: Master) async throws {
        while true {
            let state: String? = try await master.environment.store.read { database in
                try database.first(
                    "SELECT state FROM service_state WHERE name = ?", ["schedulers/\(name)"]
                ) { $0[0] as String }
            }
            let seen = try state.flatMap { try JSONValue(parsing: $0)["seen"]?.intValue }
            if let seen, seen >= change { return }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private static let stable = """
        schedulers:
          - schedulers.SingleBranchScheduler:
              name: stable
              branch: main
              treeStableTimer: 2s
              fileIsImportant: '*.c'
              builderNames: [one]
        builders:
          - {name: one, steps: []}
        """

    /// Adds changes at times, and jumps to the end of the timer.
    private func run(
        _ yaml: String, _ changes: [(seconds: Double, Change)], jumps: Int,
        then body: (Master, MasterBench, JumpingClock) async throws -> Void
    ) async throws {
        let clock = JumpingClock(Self.start)
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                try await Self.wait(for: 0, by: "stable", master)
                for (seconds, change) in changes {
                    clock.now = Self.start.addingTimeInterval(seconds)
                    let id = try await master.addChange(change).id
                    try await Self.wait(for: id, by: "stable", master)
                }
                for _ in 0..<jumps {
                    #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                    try await waitForTimer(since: clock.now, master)
                }
                try await body(master, bench, clock)
            }
        }
    }

    /// Waits until no timer is left that was due by a time.
    private func waitForTimer(since moment: Date, _ master: Master) async throws {
        let limit = Int(moment.timeIntervalSince1970 * 1000)
        while true {
            let state: String? = try await master.environment.store.read { database in
                try database.first(
                    "SELECT state FROM service_state WHERE name = 'schedulers/stable'"
                ) { $0[0] as String }
            }
            let groups = try state.flatMap {
                try JSONValue(parsing: $0)["collected"]?.arrayValue
            }
            if groups?.allSatisfy({ ($0["due_ms"]?.intValue ?? .max) > limit }) == true { return }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func `changes are built together once no more of them come`() async throws {
        // As measured with Buildbot: the unimportant one does not start the timer, but restarts it.
        try await run(
            Self.stable,
            [
                (0, Self.change("main", "a.txt")), (1, Self.change("main", "b.c")),
                (2.2, Self.change("main", "c.txt")), (3, Self.change("other", "d.c")),
                (3.5, Self.change("main", "e.c")),
            ], jumps: 1
        ) { master, _, clock in
            #expect(clock.now.timeIntervalSince(Self.start) == 5.5)
            let built = try await Self.built(master)
            #expect(built == [[1, 2, 3, 5]])
            let revisions = try await Self.revisions(master)
            #expect(revisions == ["of e.c"])
        }
    }

    @Test func `unimportant changes restart the timer, and alone build nothing`() async throws {
        try await run(
            Self.stable,
            [(0, Self.change("main", "b.c")), (1.5, Self.change("main", "c.txt"))], jumps: 1
        ) { master, _, clock in
            #expect(clock.now.timeIntervalSince(Self.start) == 3.5)
            let built = try await Self.built(master)
            #expect(built == [[1, 2]])
            let revisions = try await Self.revisions(master)
            #expect(revisions == ["of c.txt"])
            let id = try await master.addChange(Self.change("main", "d.txt")).id
            try await Self.wait(for: id, by: "stable", master)
            await clock.waitForSleepers(0)
            let count = try await Self.built(master).count
            #expect(count == 1)
        }
        let only = Self.stable.replacing(
            "branch: main", with: "branch: main\n      onlyImportant: true")
        try await run(
            only, [(0, Self.change("main", "b.c")), (1.5, Self.change("main", "c.txt"))], jumps: 1
        ) { master, _, clock in
            #expect(clock.now.timeIntervalSince(Self.start) == 2)
            let built = try await Self.built(master)
            #expect(built == [[1]])
        }
    }

    @Test func `changes that come while it is disabled pass by, and earlier ones wait`()
        async throws
    {
        try await run(Self.stable, [(0, Self.change("main", "a.c"))], jumps: 0) {
            master, _, clock in
            _ = try await master.enable(scheduler: 1, false)
            for file in ["b.c", "c.txt"] {
                let id = try await master.addChange(Self.change("main", file)).id
                try await Self.wait(for: id, by: "stable", master)
            }
            clock.now = Self.start.addingTimeInterval(3)
            let before = try await Self.built(master)
            #expect(before == [])
            _ = try await master.enable(scheduler: 1, true)
            try await waitForTimer(since: clock.now, master)
            let id = try await master.addChange(Self.change("main", "d.c")).id
            try await Self.wait(for: id, by: "stable", master)
            #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
            try await waitForTimer(since: clock.now, master)
            let built = try await Self.built(master)
            #expect(built == [[1], [4]])
        }
    }

    @Test func `each branch has a timer of its own`() async throws {
        let any = Self.stable.replacing("SingleBranch", with: "AnyBranch")
            .replacing("branch: main", with: "branches: [main, next]")
        try await run(
            any,
            [
                (0, Self.change("main", "a.c")), (1, Self.change("next", "b.c")),
                (1.5, Self.change("main", "c.c")), (1.6, Self.change("other", "d.c")),
            ], jumps: 2
        ) { master, _, clock in
            #expect(clock.now.timeIntervalSince(Self.start) == 3.5)
            let built = try await Self.built(master)
            #expect(built == [[2], [1, 3]])
            let revisions = try await Self.revisions(master)
            #expect(revisions == ["of b.c", "of c.c"])
        }
    }

    @Test func `each merge request has a timer of its own, though they are for one branch`()
        async throws
    {
        let any = Self.stable.replacing("SingleBranch", with: "AnyBranch")
            .replacing("branch: main", with: "branches: [main]")
        let changes = ["x", "y", "x"].enumerated().map { index, source in
            let change = Self.change(
                "main", "\(index).c", properties: ["source_branch": .string(source)])
            return (seconds: Double(index) / 2, change)
        }
        try await run(any, changes, jumps: 2) { master, _, _ in
            let built = try await Self.built(master)
            #expect(built == [[2], [1, 3]])
        }
    }

    @Test func `branches without an important change are kept up to a bound`() async throws {
        let any = Self.stable.replacing("SingleBranch", with: "AnyBranch")
            .replacing("      branch: main\n", with: "")
        try await MasterBench.with(any) { bench in
            let clock = JumpingClock(Self.start)
            try await bench.run(resumes: true, time: clock) { master in
                try await Self.wait(for: 0, by: "stable", master)
                let changes = (1...1010).map { Self.change("b\($0)", "a.txt") }
                _ = try await master.addChanges(changes) { _ in }
                try await Self.wait(for: 1010, by: "stable", master)
                let groups = try await Self.state(of: "stable", master)?["collected"]?.arrayValue
                let ids = groups?.compactMap { $0["changes"]?[0]?.intValue }.sorted()
                #expect(ids == Array(11...1010))
                #expect(
                    bench.messages.texts(at: .warning) == [
                        "forgets the unimportant changes of 10 branches that had no "
                            + "important change for longest"
                    ])
                for branch in ["b1", "b1010"] {
                    let id = try await master.addChange(Self.change(branch, "a.c")).id
                    try await Self.wait(for: id, by: "stable", master)
                    #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                    try await waitForTimer(since: clock.now, master)
                }
                let built = try await Self.built(master)
                #expect(built == [[1011], [1010, 1012]])
            }
        }
    }

    @Test func `a kill neither forgets a timer nor the changes, and builds nothing twice`()
        async throws
    {
        try await run(
            Self.stable, [(0, Self.change("main", "a.c")), (1, Self.change("main", "b.c"))],
            jumps: 0
        ) { master, bench, clock in
            // Killed right after a change was stored, whether the scheduler has seen it or not.
            try await master.addChange(Self.change("main", "c.c"))
            let copy = try await bench.copy(of: master)
            clock.now = Self.start.addingTimeInterval(60)
            try await bench.run(resumes: true, basedir: copy, time: clock) { next in
                try await Self.wait(for: 3, by: "stable", next)
                while try await Self.built(next).isEmpty {
                    // If the last change came anew, its timer began anew.
                    _ = await clock.jump(before: .distantFuture, whenAsleep: 0)
                    try await Task.sleep(for: .milliseconds(2))
                }
                try await waitForTimer(since: clock.now, next)
                let built = try await Self.built(next)
                #expect(built == [[1, 2, 3]])
            }
        }
    }

    @Test func `properties of changes override those of the scheduler in builds`() async throws {
        let yaml = """
            properties: {a: file, b: file, c: file}
            schedulers:
              - schedulers.SingleBranchScheduler:
                  name: main
                  branch: main
                  properties: {b: scheduler, c: scheduler}
                  builderNames: [one]
            builders:
              - {name: one, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true) { master in
                try await Self.wait(for: 0, by: "main", master)
                let build = try await master.events.withSubscription(
                    to: [.buildFinished], bound: 9
                ) { events -> Event? in
                    try await master.addChange(Self.change(properties: ["c": "change"]))
                    for await case .event(let event) in events { return event }
                    return nil
                }
                let record = try #require(build?.record["properties"]?.objectValue)
                #expect(
                    ["a", "b", "c", "branch", "revision", "repository", "scheduler"].map {
                        record[$0]?[0]
                    } == [
                        "file", "scheduler", "change", "main", "of a.c", "git://h/app", "main",
                    ])
                #expect(record["c"]?[1] == "Change")
            }
        }
    }

    @Test func `a scheduler that leaves the file begins anew when it is back`() async throws {
        let without = "builders: [{name: one, steps: []}]"
        try await MasterBench.with(Self.stable) { bench in
            let clock = JumpingClock(Self.start)
            try await bench.run(resumes: true, time: clock) { master in
                try await Self.wait(for: 0, by: "stable", master)
                try await bench.reconfigure(master, without)
                try await master.addChange(Self.change())
                try await bench.reconfigure(master, Self.stable)
                try await Self.wait(for: 1, by: "stable", master)
                try await master.addChange(Self.change("main", "b.c"))
                try await Self.wait(for: 2, by: "stable", master)
                // Changed, so that it is started anew, and still has its changes.
                try await bench.reconfigure(
                    master, Self.stable.replacing("2s", with: "5s"))
                try await master.addChange(Self.change("main", "c.c"))
                try await Self.wait(for: 3, by: "stable", master)
                #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                try await waitForTimer(since: clock.now, master)
                #expect(clock.now.timeIntervalSince(Self.start) == 5)
                let built = try await Self.built(master)
                #expect(built == [[2, 3]])
            }
        }
    }

    /// The state of a scheduler.
    static func state(of name: String, _ master: Master) async throws -> JSONValue? {
        let text: String? = try await master.environment.store.read { database in
            try database.first(
                "SELECT state FROM service_state WHERE name = ?", ["schedulers/\(name)"]
            ) { $0[0] as String }
        }
        return try text.map { try JSONValue(parsing: $0) }
    }

    /// Waits until a scheduler has begun.
    static func waitForState(of name: String, _ master: Master) async throws {
        while try await state(of: name, master) == nil {
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test func `the status tells when a timer ends`() async throws {
        try await run(
            Self.stable, [(0, Self.change("main", "a.c"))], jumps: 0
        ) { master, _, clock in
            await clock.waitForSleepers(1)
            let status = try await master.status()
            let scheduler = status["schedulers"]?[0]
            #expect(scheduler?["next_at"] == .int(1_780_000_002))
            #expect(scheduler?["waits_for"] == "no more changes")
            #expect(scheduler?["enabled"] == true)
            #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
            try await waitForTimer(since: clock.now, master)
            let later = try await master.status()
            #expect(later["schedulers"]?[0]?["next_at"] == .null)
            #expect(later["schedulers"]?[0]?["waits_for"] == "changes")
        }
    }
}
