import FoundationEssentials
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What the janitor of a master that stays up removes, and what it leaves.
@Suite(.timeLimit(.minutes(1)))
struct JanitorTests {
    private static let builders = """
        builders:
          - {name: a b, steps: &steps [steps.ShellCommand: {name: say, command: "echo words > file; cat file"}]}
          - {name: other, steps: *steps}

        """

    /// Builds some builds, sweeps, and looks at what is left.
    private func swept(
        _ janitor: String, after days: Double = 0, services: String = "", count: Int = 4,
        _ look: (MasterBench, Master) async throws -> Void
    ) async throws {
        try await MasterBench.with("janitor: \(janitor)\n\(services)\(Self.builders)") { bench in
            try await bench.run { master in
                for _ in 1...count { _ = try await master.build(["a b"]) }
                _ = try await master.build(["other"])
                let settings = try #require(master.current.janitor)
                await Janitor.sweep(
                    settings, in: master.configuration, now: Date() + days * 24 * 3600)
                try await look(bench, master)
            }
        }
    }

    private func numbers(_ master: Master, _ builder: String) async throws -> [Int] {
        try await master.environment.store.read { database in
            try database.numbers(
                """
                SELECT number FROM build JOIN builder ON builder.id = builder_id
                WHERE name = ? ORDER BY number
                """, [builder])
        }
    }

    private func count(_ master: Master, _ table: String) async throws -> Int {
        try await master.environment.store.read {
            try $0.number("SELECT count(*) FROM \(table)", [])
        }
            ?? 0
    }

    private func expect<Value: Equatable>(
        _ found: Value, _ wanted: Value, at place: SourceLocation = #_sourceLocation
    ) {
        #expect(found == wanted, sourceLocation: place)
    }

    @Test func `the newest builds stay, and numbers are not used again`() async throws {
        try await swept("{keepBuilds: 2}") { bench, master in
            try await expect(numbers(master, "a b"), [3, 4])
            try await expect(numbers(master, "other"), [1])
            #expect(try bench.files(in: bench.basedir + "/logs/a%20b").count == 2)
            try await expect(count(master, "buildset"), 3)
            try await expect(count(master, "step"), 3)
            #expect(bench.messages.texts.contains("the janitor removed 2 builds"))
            let next = try await master.build(["a b"])
            #expect(next.map(\.build.number) == [5])
        }
    }

    @Test(arguments: [(89.0, [1, 2, 3, 4]), (91.0, [4])])
    func `old builds go, but not the newest of a builder`(
        _ days: Double, _ left: [Int]
    ) async throws {
        try await swept("{keepFor: 90d}", after: days) { _, master in
            let found = try await numbers(master, "a b")
            #expect(found == left)
            try await expect(numbers(master, "other"), [1])
        }
    }

    @Test(arguments: [(29.0, 5), (31.0, 0)])
    func `old logs go, and their builds stay`(_ days: Double, _ left: Int) async throws {
        try await swept("{keepLogs: 30d}", after: days) { bench, master in
            try await expect(numbers(master, "a b"), [1, 2, 3, 4])
            let count = try await count(master, "log")
            #expect(count == left)
            let files = try bench.filesBelow(bench.basedir + "/logs")
            #expect(files.count == left)
        }
    }

    @Test func `a store that is too large loses its oldest builds`() async throws {
        try await swept("{maxStore: 100kB}") { bench, master async throws in
            try await expect(numbers(master, "a b"), [4])
            try await expect(numbers(master, "other"), [1])
            #expect(bench.messages.texts.contains { $0.contains("are larger than 'maxStore'") })
        }
        try await swept("{maxStore: 1GiB}") { bench, master async throws in
            try await expect(numbers(master, "a b"), [1, 2, 3, 4])
            #expect(!bench.messages.texts.contains { $0.contains("janitor") })
        }
    }

    @Test func `a large build that stays is not counted as removed`() async throws {
        let big = "steps.ShellCommand: 'head -c 1000000 /dev/zero | tr \"\\0\" x'"
        let yaml = """
            janitor: {maxStore: 500kB}
            builders:
              - {name: big, steps: [\(big)]}
              - {name: small, steps: [steps.ShellCommand: 'true']}
            """
        try await MasterBench.with(yaml) { bench in
            try await bench.run { master in
                _ = try await master.build(["big"])
                for _ in 1...3 { _ = try await master.build(["small"]) }
                await Janitor.sweep(
                    try #require(master.current.janitor), in: master.configuration, now: Date())
                try await expect(numbers(master, "big"), [1])
                try await expect(numbers(master, "small"), [3])
            }
        }
    }

    @Test func `a build whose reports are still to be sent stays`() async throws {
        try await withLoopbackServer { _ in
            .text("not now", status: 503)
        } _: { server in
            let services = "services: [reporters.HttpStatusPush: '\(server.url)/']\n"
            try await swept("{keepBuilds: 1, keepLogs: 1h}", after: 9, services: services) {
                _, master in
                try await expect(numbers(master, "a b"), [1, 2, 3, 4])
                try await expect(count(master, "log"), 5)
            }
        }
    }

    @Test func `the work folder of a removed builder goes, and nothing else`() async throws {
        try await swept("{keepBuilds: 9}") { bench, master in
            let work = bench.basedir + "/work"
            try bench.write("precious", to: "outside")
            try FileManager.default.createSymbolicLink(
                atPath: work + "/a%20b/link", withDestinationPath: bench.folder)
            try FileManager.default.createDirectory(
                atPath: work + "/not a builder", withIntermediateDirectories: true)
            try await bench.reconfigure(
                master, "janitor: {keepBuilds: 9}\nbuilders: [{name: other, steps: []}]\n")
            await Janitor.sweep(
                try #require(master.current.janitor), in: master.configuration, now: Date())
            let left = try FileManager.default.contentsOfDirectory(atPath: work).sorted()
            #expect(left == ["not a builder", "other"])
            #expect(try bench.read(bench.folder + "/outside") == "precious")
            try await expect(numbers(master, "a b"), [1, 2, 3, 4])
        }
    }

    @Test func `a master that stays up sweeps by itself, also after a reconfiguration`()
        async throws
    {
        try await MasterBench.with(Self.builders) { bench in
            let clock = JumpingClock(Date())
            try await bench.run(resumes: true, time: clock) { master in
                for _ in 1...3 { _ = try await master.build(["a b"]) }
                try await bench.reconfigure(master, "janitor: {keepBuilds: 1}\n" + Self.builders)
                for _ in 1...60 where try await numbers(master, "a b") != [3] {
                    _ = await clock.jump(before: .distantFuture, whenAsleep: 1)
                }
                try await expect(numbers(master, "a b"), [3])
            }
        }
    }

    @Test(arguments: [
        ("{}", "'janitor' removes nothing; give it keepBuilds"),
        ("{keepBuilds: 0}", "must be"), ("{keepLog: 1d}", "did you mean 'keepLogs'"),
        ("{keepFor: 90}", "'keepFor' of janitor is only 90 seconds; write at least 1h"),
        ("{keepLogs: 59m}", "'keepLogs' of janitor is only 3540 seconds"),
        ("{keepChanges: 0}", "'keepChanges' of janitor is only 0 seconds"),
        ("{maxStore: 10}", "'maxStore' of janitor is only 10 bytes; write at least 100kB"),
    ])
    func `mistakes are found`(_ janitor: String, _ message: String) async throws {
        try await MasterBench.with("janitor: \(janitor)\n" + Self.builders) { bench in
            let messages = try bench.load().diagnostics.map(\.message)
            #expect(messages.count == 1)
            #expect(messages.first?.contains(message) == true, "\(messages)")
        }
    }
}
