import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

struct StoreOpeningTests {
    @Test func `folders that are not there are made`() async throws {
        try await StoreFixture.inFolder { folder in
            let store = try await Store.open(folder: folder + "/a/b")
            #expect(!store.endedUncleanly)
            await store.close()
        }
    }

    @Test func `ids, numbers and the name of the store go on after it is opened again`()
        async throws
    {
        try await StoreFixture.inFolder { folder in
            let first = try await StoreFixture.open(folder)
            let build = try await first.startBuild()
            try await first.runStep(of: build)
            try await first.finish(build)
            await first.store.close()

            let second = try await StoreFixture.open(folder)
            #expect(second.store.identifier == first.store.identifier)
            #expect(!second.store.endedUncleanly)
            #expect(second.builder == first.builder)
            #expect(second.workerID == first.workerID)
            #expect(second.store.makeStepID() == 2)
            #expect(second.store.makeLogID() == 2)
            #expect(try await second.startBuild().number == build.number + 1)
            await second.store.close()
        }
    }

    @Test func `a builder keeps its id and number when its description changes`() async throws {
        try await StoreFixture.run { fixture in
            try await fixture.finish(try await fixture.startBuild())
            let changed = try await fixture.store.write {
                try $0.builder(named: "ok2", description: nil, tags: ["new", "\"quoted\""])
            }
            #expect(changed.id == fixture.builder.id)
            #expect(changed.tags == ["new", "\"quoted\""])
            let found = try await fixture.store.read { try Builder.find(changed.id, in: $0) }
            #expect(found == changed)
            #expect(try await fixture.startBuild().number == 2)
        }
    }

    @Test(arguments: [(Durability.process, 1), (.power, 2)])
    func `the durability is the one that SQLite works with`(
        durability: Durability, synchronous: Int
    ) async throws {
        try await StoreFixture.inFolder { folder in
            let store = try await Store.open(folder: folder, durability: durability)
            let found = try await store.write {
                try Int.fetchOne($0.database, sql: "PRAGMA synchronous")
            }
            #expect(found == synchronous)
            let mode = try await store.read {
                try String.fetchOne($0, sql: "PRAGMA journal_mode")
            }
            #expect(mode == "wal")
            await store.close()
        }
    }

    @Test func `a closed store says so and its subscriptions end`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {}
            #expect(events.isEmpty)
            await fixture.store.close()
            let error = try await storeError { try await fixture.submit() }
            #expect(error?.code == .closed)
            #expect(error?.message == "the store of \(fixture.folder) has been closed")
            let unread = try await storeError { try await fixture.count("SELECT 1") }
            #expect(unread?.message == "\(fixture.folder)/buildmaster.sqlite has been closed")
            #expect(fixture.store.failure == nil)
            await fixture.store.waitForEnd()
        }
    }

    @Test func `what waits when the store is closed is still committed`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            for number in 1...1000 {
                await fixture.store.post { try _ = $0.worker(named: "worker \(number)") }
            }
            await fixture.store.close()
            let again = try await StoreFixture.open(folder)
            #expect(try await again.count("SELECT count(*) FROM worker") == 1001)
            await again.store.close()
        }
    }
}
