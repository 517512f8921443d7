import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What is given up so that what is kept stays within its bounds.
@Suite(.timeLimit(.minutes(1)))
struct OutboxBoundsTests {
    /// A store in which builds 1 to 4 have a start and an end that nobody took.
    private static func with(_ body: (OutboxBench) async throws -> Void) async throws {
        try await OutboxBench.with { bench in
            let away = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(away) { outbox in
                for lane in 1...4 { try await bench.happen("start \(lane)", lane: lane) }
                for lane in 1...4 {
                    try await bench.happen("end \(lane)", lane: lane, kind: .buildFinished)
                }
                await outbox.drain(for: .seconds(4))
            }
            try await body(bench)
        }
    }

    private static func open(_ bench: OutboxBench) async throws -> [String] {
        try await bench.store.read { database in
            try database.all(
                "SELECT lane, event_seq FROM delivery WHERE state = 'open' ORDER BY event_seq"
            ) { "\($0[0] as Int).\($0[1] as Int)" }
        }
    }

    @Test func `the oldest lanes go as a whole, when too much waits`() async throws {
        try await Self.with { bench in
            let size: Int? = try await bench.value("SELECT sum(bytes) FROM delivery")
            let bounds = DeliveryBounds(maxBytes: ByteCount((size ?? 0) - 1))
            let (expired, isMore) = try await bench.store.write { try $0.keepWithin(bounds) }
            #expect(expired == 2)
            #expect(!isMore)
            #expect(try await Self.open(bench) == ["2.2", "3.3", "4.4", "2.6", "3.7", "4.8"])
            let reason: String? = try await bench.value(
                "SELECT error FROM delivery WHERE lane = 1 ORDER BY event_seq"
            )
            #expect(reason == "expired: more waits than 'maxBytes' allows; away")
            #expect(
                try await bench.value("SELECT count(report) FROM delivery WHERE lane = 1") == 0
            )
        }
    }

    @Test func `what is too old goes with all of its lane`() async throws {
        try await Self.with { bench in
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET since = 0 WHERE event_seq IN (2, 7)")
            }
            let bounds = DeliveryBounds(maxAge: .seconds(3600))
            let expired = try await bench.store.write { try $0.keepWithin(bounds).expired }
            #expect(expired == 4)
            #expect(try await Self.open(bench) == ["1.1", "4.4", "1.5", "4.8"])
        }
    }

    @Test func `the bodies of dead letters go before anything that waits`() async throws {
        try await Self.with { bench in
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET state = 'dead' WHERE lane = 3")
            }
            let size: Int? = try await bench.value("SELECT sum(bytes) FROM delivery")
            let bounds = DeliveryBounds(maxBytes: ByteCount((size ?? 0) - 1))
            let expired = try await bench.store.write { try $0.keepWithin(bounds).expired }
            #expect(expired == 0)
            #expect(try await bench.value("SELECT count(report) FROM delivery") == 7)
            #expect(try await Self.open(bench).count == 6)
        }
    }

    @Test func `within the bounds nothing goes`() async throws {
        try await Self.with { bench in
            let result = try await bench.store.write { try $0.keepWithin(DeliveryBounds()) }
            #expect(result == (0, false))
            #expect(try await Self.open(bench).count == 8)
            #expect(try await bench.value("SELECT changes FROM meta") == 0)
        }
    }

    @Test func `an outbox does not send what was given up, and says how much it was`()
        async throws
    {
        try await Self.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxBytes: ByteCount(1))
            let journal = Journal<String>()
            let outbox = try await bench.open(ScriptedReporter(into: journal))
            try await outbox.housekeeping.trim()
            try await outbox.housekeeping.takeChanges()
            try await OutboxBench.run(outbox) { outbox in
                await outbox.drain(for: .seconds(4))
                let summary = try await outbox.summary()
                #expect(summary.deadCount == 8)
            }
            #expect(journal.entries.isEmpty)
            let warnings = bench.messages.texts(at: .warning)
            #expect(warnings.contains { $0.hasPrefix("8 reports that nobody took were given up") })
        }
    }

    @Test func `delivered reports are removed while the outbox runs`() async throws {
        try await OutboxBench.with { bench in
            try await bench.running(ScriptedReporter()) { outbox in
                try await bench.store.write { transaction in
                    for number in 1...12_000 {
                        try transaction.append(
                            Event(
                                at: transaction.now,
                                kind: .buildNew,
                                lane: number,
                                record: ["text": "x"]
                            )
                        )
                    }
                }
                await outbox.drain(for: .seconds(10))
                try await outbox.housekeeping.trim()
            }
            #expect(try await bench.value("SELECT count(*) FROM delivery") == 10_000)
            #expect(try await bench.value("SELECT count(*) FROM event") == 10_000)
        }
    }
}
