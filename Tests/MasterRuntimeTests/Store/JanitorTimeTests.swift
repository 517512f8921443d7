import FoundationEssentials
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What happens while the janitor is at work.
@Suite(.timeLimit(.minutes(1)))
struct JanitorTimeTests {
    private static let one = "janitor: {keepBuilds: 1}\nbuilders:\n  - {name: one, steps: []}\n"
    private static let both = one + "  - {name: other, steps: []}\n"

    /// Does something while the janitor removes some 2,000 builds of `one`.
    private func sweep(
        _ bench: MasterBench, _ master: Master, while body: () async throws -> Void
    ) async throws {
        _ = try await master.build(["one"])
        let store = master.environment.store
        try await store.write { transaction in
            try transaction.database.run(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                INSERT INTO build (builder_id, number, request_id, worker_id, started_at,
                    complete_at, results, state_string, properties)
                SELECT builder_id, number + i, request_id, worker_id, started_at, complete_at,
                    results, state_string, properties FROM build, n WHERE build.id =
                        (SELECT max(id) FROM build)
                """)
        }
        let settings = try #require(master.current.janitor)
        async let swept: Void = Janitor.sweep(settings, in: master.configuration, now: Date())
        while try await store.read({ try $0.number("SELECT count(*) FROM build", []) ?? 0 }) > 1990
        {
            await Task.yield()
        }
        try await body()
        await swept
    }

    @Test func `the folder of a builder that is back in the file stays`() async throws {
        try await MasterBench.with(Self.both) { bench in
            try await bench.run(resumes: true) { master in
                _ = try await master.build(["other"])
                try await bench.reconfigure(master, Self.one)
                try await sweep(bench, master) { try await bench.reconfigure(master, Self.both) }
                let folder = bench.basedir + "/work/other"
                #expect(FileManager.default.fileExists(atPath: folder))
            }
        }
    }

    @Test func `a build that ends meanwhile stays, as its reports may still have to be sent`()
        async throws
    {
        try await MasterBench.with(Self.both) { bench in
            try await bench.run(resumes: true) { master in
                try await sweep(bench, master) {
                    for _ in 1...2 { _ = try await master.build(["other"]) }
                    try await master.environment.store.write { transaction in
                        let database = transaction.database
                        try database.run(
                            """
                            INSERT INTO event (at, kind, lane, build_id, snapshot)
                            SELECT 0, 'buildFinished', 1, build.id, '{}'
                            FROM build JOIN builder ON builder.id = builder_id
                            WHERE name = 'other' AND number = 1
                            """)
                        let event = Int(database.lastInsertedRowID)
                        try database.run("INSERT INTO reporter (name, cursor) VALUES ('r', -1)")
                        try database.run(
                            """
                            INSERT INTO delivery (reporter_id, event_seq, part, lane, state)
                            SELECT id, ?, 0, 1, 'parked' FROM reporter
                            """, [event])
                    }
                }
                let left = try await master.environment.store.read {
                    try $0.numbers("SELECT number FROM build ORDER BY number", [])
                }
                // The second is the newest of its builder.
                #expect(left == [1, 2, 2001])
            }
        }
    }
}
