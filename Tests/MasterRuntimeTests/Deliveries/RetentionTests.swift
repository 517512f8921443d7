import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What is discarded to keep stored data within its limits.
@Suite(.timeLimit(.minutes(5)))
struct RetentionTests {
    /// Runs a closure with a store in which the starts and ends of builds 1 to 4 are undelivered.
    private static func with(_ body: (DeliveriesBench) async throws -> Void) async throws {
        try await DeliveriesBench.with { bench in
            let away = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(away) { deliveries in
                for lane in 1...4 { try await bench.happen("start \(lane)", lane: lane) }
                for lane in 1...4 {
                    try await bench.happen("end \(lane)", lane: lane, kind: .buildFinished)
                }
                await deliveries.drain(for: .seconds(4))
            }
            try await body(bench)
        }
    }

    /// The size of the stored data as counted for the limits.
    private static let size = """
        SELECT sum(bytes + \(StoreTransaction.rowByteCount)) FROM delivery
        WHERE state IN ('open', 'parked')
        """

    private static func open(_ bench: DeliveriesBench) async throws -> [String] {
        try await bench.store.read { database in
            try database.all(
                "SELECT lane, event_seq FROM delivery WHERE state = 'open' ORDER BY event_seq"
            ) { "\($0[0] as Int).\($0[1] as Int)" }
        }
    }

    @Test func `the oldest lanes go as a whole, when too much waits`() async throws {
        try await Self.with { bench in
            let size: Int? = try await bench.value(Self.size)
            let bounds = DeliveryBounds(maxBytes: ByteCount((size ?? 0) - 1))
            let (expired, isMore) = try await bench.store.write {
                try $0.keepWithin(bounds, expiring: [1: ExpirableLanes(all: true)])
            }
            #expect(expired == 2)
            #expect(!isMore)
            #expect(try await Self.open(bench) == ["2.2", "3.3", "4.4", "2.6", "3.7", "4.8"])
            let reason: String? = try await bench.value(
                "SELECT error FROM delivery WHERE lane = 1 ORDER BY event_seq")
            #expect(reason == "expired: undelivered reports exceed 'maxBytes'; away")
            #expect(try await bench.value("SELECT count(report) FROM delivery WHERE lane = 1") == 0)
        }
    }

    @Test func `what is too old goes with all of its lane`() async throws {
        try await Self.with { bench in
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET since = 0 WHERE event_seq IN (2, 7)")
            }
            let bounds = DeliveryBounds(maxAge: .seconds(3600))
            let expired = try await bench.store.write {
                try $0.keepWithin(bounds, expiring: [1: ExpirableLanes(all: true)]).expired
            }
            #expect(expired == 4)
            #expect(try await Self.open(bench) == ["1.1", "4.4", "1.5", "4.8"])
        }
    }

    @Test func `the bodies of failed deliveries go before anything that waits`() async throws {
        try await Self.with { bench in
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET state = 'dead' WHERE lane = 3")
            }
            let size: Int? = try await bench.value(
                "SELECT sum(bytes + iif(state = 'dead', 0, 512)) FROM delivery")
            let bounds = DeliveryBounds(maxBytes: ByteCount((size ?? 0) - 1))
            let expired = try await bench.store.write {
                try $0.keepWithin(bounds, expiring: [1: ExpirableLanes(all: true)]).expired
            }
            #expect(expired == 0)
            #expect(try await bench.value("SELECT count(report) FROM delivery") == 7)
            #expect(try await Self.open(bench).count == 6)
        }
    }

    @Test func `within the bounds nothing goes`() async throws {
        try await Self.with { bench in
            let result = try await bench.store.write {
                try $0.keepWithin(DeliveryBounds(), expiring: [1: ExpirableLanes(all: true)])
            }
            #expect(result == (0, false))
            #expect(try await Self.open(bench).count == 8)
            #expect(try await bench.value("SELECT changes FROM meta") == 0)
        }
    }

    @Test func `a receiver that takes its reports loses none to the bounds`() async throws {
        try await Self.with { bench in
            let tight = DeliveryBounds(maxBytes: ByteCount(1))
            let unknown = try await bench.store.write { try $0.keepWithin(tight, expiring: [:]) }
            #expect(unknown == (0, false))
            let well = try await bench.store.write {
                try $0.keepWithin(tight, expiring: [1: ExpirableLanes()])
            }
            #expect(well == (0, false))
            let partly = try await bench.store.write {
                try $0.keepWithin(
                    tight, expiring: [1: ExpirableLanes(failed: [3], unanswered: [2])]
                ).expired
            }
            #expect(partly == 2)
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET state = 'parked' WHERE lane = 4")
            }
            let parked = try await bench.store.write {
                try $0.keepWithin(tight, expiring: [1: ExpirableLanes()]).expired
            }
            #expect(parked == 2)
            #expect(try await Self.open(bench) == ["1.1", "2.2", "1.5", "2.6"])
        }
    }

    @Test func `what became too old while no master ran is tried before its age counts`()
        async throws
    {
        try await Self.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxAge: .seconds(1))
            try await bench.store.write { try $0.database.run("UPDATE delivery SET since = 0") }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary()
                #expect(summary.deliveredCount == 8)
                #expect(summary.givenUp.isEmpty)
            }
            #expect(journal.entries.count == 8)
        }
    }

    @Test func `what the end of a run breaks off counts as tried for its age alone`() async throws {
        try await Self.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxBytes: ByteCount(1), maxAge: .seconds(7200))
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET since = since - 9999 WHERE lane = 1")
            }
            let begun = Journal<Void>()
            let silent = ScriptedReporter { _, _ in
                begun.add(())
                try await hang()
            }
            try await bench.running(silent) { deliveries in
                await begun.wait(for: 4)
                await deliveries.drain(for: .zero)
                let summary = try await deliveries.summary()
                #expect(summary.openCount == 6)
                #expect(summary.deadCount == 2)
            }
        }
    }

    @Test func `what is given up is told once, with the reason`() async throws {
        try await Self.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxAge: .seconds(1))
            try await bench.store.write {
                try $0.database.run("UPDATE delivery SET since = since - 3600")
            }
            let away = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(away) { deliveries in
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary()
                #expect(summary.deadCount == 8)
                #expect(summary.openCount == 0)
                let expired = "expired: the report is older than 'maxAge'"
                #expect(
                    summary.givenUp.sorted { $0.reason < $1.reason } == [
                        GivenUpReports(reporter: "scripted", reason: expired, count: 4),
                        GivenUpReports(reporter: "scripted", reason: expired + "; away", count: 4),
                    ])
                let second = try await deliveries.summary()
                #expect(second.givenUp == [])
            }
            // They can be inspected as long as any other dead report.
            #expect(
                try await bench.value("SELECT count(*) FROM delivery WHERE state = 'dead'") == 8)
        }
    }

    @Test func `dead reports that are removed before they were told of are counted`() async throws {
        try await DeliveriesBench.with { bench in
            let failing = ScriptedReporter(generators: [
                ScriptedGenerator { _ in throw DeliveryFault("no report") }
            ])
            try await bench.running(failing) { deliveries in
                for lane in 1...3 { try await bench.happen("start", lane: lane) }
                await deliveries.drain(for: .seconds(4))
                try await bench.store.write {
                    try $0.database.run("UPDATE delivery SET ended_at = 0 WHERE lane = 1")
                }
                try await deliveries.trim()
                let summary = try await deliveries.summary()
                #expect(summary.deadCount == 3)
                #expect(summary.givenUp.map(\.count) == [2])
                #expect(summary.otherGivenUpCount == 1)
            }
        }
    }

    @Test func `while a receiver takes its reports, no more are made than have room`() async throws
    {
        try await DeliveriesBench.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxBytes: ByteCount(4000))
            let (taken, go) = (Journal<String>(), Journal<Void>())
            var reporter = ScriptedReporter { report, _ in
                taken.add(report.text)
                await go.wait(for: taken.entries.count)
            }
            reporter.defaultGenerators = [
                ScriptedGenerator { event in
                    .saying(String(repeating: "x", count: 400) + (event.record["text"]?.text ?? ""))
                }
            ]
            try await bench.running(reporter) { deliveries in
                for number in 1...50 { try await bench.happen("\(number)", lane: 1) }
                await taken.wait(for: 1)
                let made = "SELECT count(*) FROM delivery"
                var counts: Set<Int> = []
                for number in 1...50 {
                    await taken.wait(for: number)
                    counts.insert(try await bench.value(made + " WHERE state = 'open'") ?? 0)
                    go.add(())
                }
                await deliveries.drain(for: .seconds(10))
                #expect(try #require(counts.max()) <= 4)
                let summary = try await deliveries.summary()
                #expect(summary.deliveredCount == 50)
                #expect(summary.givenUp.isEmpty)
            }
            #expect(taken.entries.map { $0.drop { $0 == "x" } } == (1...50).map { "\($0)" })
        }
    }

    @Test func `for a receiver that is away reports are made, and the oldest expire`() async throws
    {
        try await DeliveriesBench.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxBytes: ByteCount(4000))
            let away = ScriptedReporter { _, _ in throw DeliveryFault("away") }
            try await bench.running(away) { deliveries in
                for lane in 1...20 { try await bench.happen("start", lane: lane) }
                await deliveries.drain(for: .seconds(4))
                let summary = try await deliveries.summary()
                #expect(summary.openCount + summary.deadCount == 20)
                #expect((5...7).contains(summary.openCount))
                #expect(
                    summary.givenUp.map(\.reason) == [
                        "expired: undelivered reports exceed 'maxBytes'; away"
                    ])
            }
        }
    }

    @Test func `events that a run has not come to are counted and reported by the next`()
        async throws
    {
        try await DeliveriesBench.with { bench in
            var bench = bench
            bench.bounds = DeliveryBounds(maxBytes: ByteCount(1))
            let begun = Journal<String>()
            let slow = ScriptedReporter { report, _ in
                begun.add(report.text)
                try await hang()
            }
            try await bench.running(slow) { deliveries in
                for number in 1...40 { try await bench.happen("\(number)", lane: number) }
                await begun.wait(for: 1)
                await deliveries.drain(for: .zero)
                let summary = try await deliveries.summary()
                #expect(summary.openCount + summary.unreportedCount == 40)
                #expect(summary.unreportedCount > 0)
            }
            let journal = Journal<String>()
            try await bench.running(ScriptedReporter(into: journal)) { deliveries in
                await deliveries.drain(for: .seconds(10))
                let summary = try await deliveries.summary()
                #expect(summary.unreportedCount == 0)
            }
            #expect(Set(journal.entries) == Set((1...40).map { "\($0)" }))
        }
    }

    @Test func `of many tries only the newest answers are kept`() async throws {
        try await DeliveriesBench.with { bench in
            var bench = bench
            // The clock moves on an hour with each look, of which there may be many.
            bench.bounds.maxAge = .seconds(1_000_000_000 * 3600)
            bench.schedule.end = nil
            let failing = ScriptedReporter { _, context in
                throw DeliveryError(
                    .retry(after: nil), String(repeating: "no ", count: 5000), status: 500,
                    responseText: String(repeating: "x", count: 9000))
            }
            let deliveries = try await bench.open(failing)
            try await DeliveriesBench.run(deliveries) { deliveries in
                try await bench.happen("start")
                for attempt in 1...8 {
                    var found = 0
                    while found < attempt {
                        found = try await bench.value("SELECT count(*) FROM attempt") ?? 0
                        bench.clock.advance(by: .seconds(3600))
                    }
                }
                deliveries.stop()
                await deliveries.waitForEnd()
            }
            #expect(try await bench.value("SELECT count(answer) FROM attempt") == 5)
            #expect(try await bench.value("SELECT max(length(answer)) FROM attempt") == 4096)
            #expect(try await bench.value("SELECT max(length(error)) FROM attempt") == 4096)
            #expect(try await bench.value("SELECT answer_bytes FROM delivery") == 5 * 4096)
        }
    }

    @Test func `delivered reports are removed while the outbox runs`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.running(ScriptedReporter()) { deliveries in
                try await bench.store.write { transaction in
                    for number in 1...12_000 {
                        try transaction.append(
                            Event(
                                at: transaction.now, kind: .buildNew, lane: number,
                                record: ["text": "x"])
                        )
                    }
                }
                await deliveries.drain(for: .seconds(200))
                try await deliveries.trim()
                let summary = try await deliveries.summary()
                #expect(summary.deliveredCount == 12_000)
                #expect(summary.totalCount == 12_000)
                #expect(summary.deliveries.isEmpty)
            }
            #expect(try await bench.value("SELECT count(*) FROM delivery") == 10_000)
            #expect(try await bench.value("SELECT count(*) FROM event") == 10_000)
        }
    }

    @Test func `a reporter of rare events keeps no others in the store`() async throws {
        try await DeliveriesBench.with { bench in
            try await bench.running(ScriptedReporter()) { deliveries in
                for lane in 1...3 { try await bench.happen("start \(lane)", lane: lane) }
                await deliveries.drain(for: .seconds(10))
                try await bench.store.write { transaction in
                    try transaction.database.run(
                        "INSERT INTO reporter (name, cursor) VALUES ('rare', 0)")
                    let rare = try #require(
                        try transaction.database.number(
                            "SELECT id FROM reporter WHERE name = 'rare'", []))
                    try transaction.passEvents(notOf: [.workerMissing], of: rare)
                }
            }
            let newest: Int? = try await bench.value("SELECT max(seq) FROM event")
            #expect(
                try await bench.value("SELECT cursor FROM reporter WHERE name = 'rare'") == newest)
            try await bench.store.write { transaction in
                let rare = try #require(
                    try transaction.database.number(
                        "SELECT id FROM reporter WHERE name = 'rare'", []))
                try transaction.database.run("UPDATE reporter SET cursor = 1 WHERE id = ?", [rare])
                try transaction.passEvents(notOf: [.buildNew], of: rare)
            }
            let next: Int? = try await bench.value("SELECT min(seq) FROM event WHERE seq > 1")
            #expect(
                try await bench.value("SELECT cursor FROM reporter WHERE name = 'rare'")
                    == (next ?? 0) - 1)
        }
    }
}
