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

    // MARK: Files that are not stores

    /// Puts something in the place of the store, and returns the error from opening it.
    private static func opening(
        _ prepare: (_ folder: String, _ path: String) throws -> Void
    ) async throws -> (error: StoreError?, path: String) {
        var outcome: (StoreError?, String) = (nil, "")
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            try prepare(folder, path)
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            let error = try await storeError { try await Store.open(folder: folder).close() }
            let looking = try await storeError {
                try await DeliveryAdmin.with(folder: folder) { _ in }
            }
            #expect(error?.message == looking?.message)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            outcome = (error, path)
        }
        return outcome
    }

    private static let remedy =
        "restore it from a backup, or move it and its -wal and -shm files away to start with an "
        + "empty one"

    @Test func `a store that is empty has lost its records and is not begun anew`() async throws {
        let (error, path) = try await Self.opening { _, path in
            try Data().write(to: URL(fileURLWithPath: path))
        }
        #expect(
            error?.message
                == "\(path) is damaged: it is empty, though a store never is; reports that "
                + "were not yet delivered are lost with it; \(Self.remedy)")
        let (second, _) = try await Self.opening { _, path in
            try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 1") }
        }
        #expect(second?.message.contains("is damaged: it is empty") == true)
    }

    @Test func `a store that is missing beside its log is not begun anew`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            try Data("log".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
            let error = try await storeError { try await Store.open(folder: folder).close() }
            #expect(
                error?.message == "\(path) is missing, but \(path)-wal is there with the newest "
                    + "records; restore it from a backup, or move that file away to start with "
                    + "an empty store")
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test(arguments: ["CREATE TABLE build (id INTEGER)", "PRAGMA application_id = 1"])
    func `a database of another program is left as it is`(sql: String) async throws {
        let (error, path) = try await Self.opening { _, path in
            try DatabaseQueue(path: path).write { database in
                try database.execute(sql: "CREATE TABLE book (title TEXT);" + sql)
            }
        }
        #expect(error?.code == .foreign)
        #expect(
            error?.message
                == "\(path) is a database of another program, and is left as it is; move "
                + "it away, or name another folder with --basedir")
    }

    @Test(arguments: ["attempt", "service_state"])
    func `a store that lacks a table says which`(table: String) async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            let store = try await Store.open(folder: folder)
            try await store.write { try $0.database.execute(sql: "DROP TABLE \(table)") }
            let sentence = "\(path) is damaged, it lacks the table '\(table)'; \(Self.remedy)"
            let query = try await storeError {
                try await store.read { try Int.fetchOne($0, sql: "SELECT 1 FROM \(table)") }
            }
            #expect(query?.message == sentence)
            await store.close()
            let error = try await storeError { try await Store.open(folder: folder).close() }
            #expect(error?.message == sentence)
        }
    }

    @Test func `a kill while a store is made leaves none, and the next start makes it`()
        async throws
    {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            for name in [".new", ".new-journal", ".new-wal"] {
                try Data("half".utf8).write(to: URL(fileURLWithPath: path + name))
            }
            let store = try await Store.open(folder: folder)
            await store.close()
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.contains(StoreOpening.fileName))
            #expect(!names.contains { $0.contains(".new") })
        }
    }
}
