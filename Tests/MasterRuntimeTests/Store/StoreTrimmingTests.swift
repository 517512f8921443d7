import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

/// What is removed when no reporter needs it any more.
struct StoreTrimmingTests {
    @Test func `events go when all reporters have passed them and no report refers to them`()
        async throws
    {
        try await StoreFixture.run { fixture in
            try await fixture.addReporter(1, cursor: 8, events: 10)
            try await fixture.addReporter(2, cursor: 6, events: 0)
            try await fixture.addReporter(3, cursor: -1, events: 0)
            try await fixture.deliver(2, event: 3, state: "open")
            try await fixture.deliver(1, event: 4, state: "dead")
            try await fixture.deliver(1, event: 5, state: "nothing")
            try await fixture.deliver(2, event: 9, state: "nothing")
            let isMore = try await fixture.store.write { try $0.trim().isMore }
            #expect(!isMore)
            #expect(try await fixture.numbers("SELECT seq FROM event") == [3, 4, 7, 8, 9, 10])
            #expect(
                try await fixture.numbers("SELECT event_seq FROM delivery ORDER BY event_seq") == [
                    3, 4, 9,
                ])
        }
    }

    @Test func `the newest delivered reports are kept, with their events`() async throws {
        try await StoreFixture.run { fixture in
            try await fixture.addReporter(1, cursor: 10, events: 10)
            for event in 1...9 {
                try await fixture.deliver(1, event: event, state: event == 2 ? "open" : "delivered")
            }
            try await fixture.store.write { _ = try $0.trim(keeping: 3) }
            #expect(
                try await fixture.numbers("SELECT event_seq FROM delivery ORDER BY event_seq") == [
                    2, 7, 8, 9,
                ])
            #expect(try await fixture.numbers("SELECT seq FROM event") == [2, 7, 8, 9])
        }
    }

    @Test func `events go that stand before, between and behind those of delivered reports`()
        async throws
    {
        try await StoreFixture.run { fixture in
            try await fixture.addReporter(1, cursor: 9, events: 10)
            try await fixture.addReporter(2, cursor: 10, events: 0)
            for event in [2, 3, 6] {
                try await fixture.deliver(1, event: event, state: "delivered")
            }
            for event in [3, 6] { try await fixture.deliver(2, event: event, state: "delivered") }
            try await fixture.deliver(2, event: 4, state: "open")
            try await fixture.store.write { _ = try $0.trim() }
            #expect(try await fixture.numbers("SELECT seq FROM event") == [2, 3, 4, 6, 10])
        }
    }

    @Test func `little is removed at a time and the rest is said to be left`() async throws {
        try await StoreFixture.run { fixture in
            try await fixture.addReporter(1, cursor: 10, events: 10)
            let first = try await fixture.store.write { try $0.trim(limit: 6).isMore }
            #expect(first)
            #expect(try await fixture.numbers("SELECT seq FROM event") == [7, 8, 9, 10])
            let second = try await fixture.store.write { try $0.trim(limit: 6).isMore }
            #expect(!second)
            #expect(try await fixture.numbers("SELECT seq FROM event").isEmpty)
        }
    }

    @Test func `the order of events goes on when all are removed`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            try await fixture.addReporter(1, cursor: 3, events: 3)
            try await fixture.store.write { _ = try $0.trim() }
            await fixture.store.close()
            let again = try await StoreFixture.open(folder)
            #expect(try await again.numbers("SELECT seq FROM event").isEmpty)
            #expect(try await again.store.read { try Event.newestSequence(in: $0) } == 3)
            await again.store.close()
        }
    }
}

extension StoreFixture {
    fileprivate func addReporter(_ id: Int, cursor: Int, events: Int) async throws {
        store.storeEvents(of: [.workerMissing])
        try await store.write { transaction in
            try transaction.database.run(
                "INSERT INTO reporter (id, name, cursor) VALUES (?, ?, ?)",
                [id, "reporter \(id)", cursor])
            for _ in 0..<events {
                try transaction.append(.workerMissing, lane: 0) { JSONObject() }
            }
        }
    }

    fileprivate func deliver(_ reporter: Int, event: Int, state: String) async throws {
        try await store.write { transaction in
            try transaction.database.run(
                """
                INSERT INTO delivery (reporter_id, event_seq, part, lane, state)
                VALUES (?, ?, 0, 0, ?)
                """, [reporter, event, state])
        }
    }

    fileprivate func numbers(_ sql: String) async throws -> [Int] {
        try await store.read { try $0.all(sql) { $0[0] } }
    }
}
