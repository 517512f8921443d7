import FoundationEssentials
import GRDB
import Testing

@testable import MasterRuntime

/// Migrating the store of an older version.
struct StoreMigrationTests {
    @Test func `reports that an older program has left are kept and counted`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            let old = try DatabaseQueue(path: path)
            try StoreSchema.migrator.migrate(old, upTo: "1")
            try await old.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO event VALUES (1, 1000.5, 'build.new', 1, NULL, NULL, '{}');
                        INSERT INTO reporter (id, name, cursor) VALUES (1, 'push', 1);
                        INSERT INTO delivery (reporter_id, event_seq, part, lane, report, state)
                        VALUES (1, 1, 0, 1, '{"json":"ä"}', 'open'), (1, 1, 1, 1, NULL, 'dead');
                        """)
            }
            try old.close()
            let waiting = try await DeliveryAdmin.with(folder: folder) { admin in
                var waiting: [DeliveryRecord] = []
                try await admin?.forEachPage(of: DeliveryFilter()) { waiting += $0 }
                return waiting
            }
            #expect(waiting.map(\.byteCount) == [13, 0])
            #expect(waiting.map(\.since.timeIntervalSince1970) == [1000.5, 1000.5])
            let store = try await Store.open(folder: folder)
            let letters = try await store.read { try $0.openDeliveries(ofReporter: 1) }
            #expect(letters.map(\.id) == [1])
            await store.close()
        }
    }

    @Test func `an older store that a master uses is left as it is`() async throws {
        try await StoreFixture.inFolder { folder in
            let path = folder + "/" + StoreOpening.fileName
            let old = try DatabaseQueue(path: path)
            try StoreSchema.migrator.migrate(old, upTo: "1")
            let lock = try StoreLock(StoreFolder(path: folder))
            let error = try await storeError {
                try await DeliveryAdmin.with(folder: folder) { _ in }
            }
            #expect(error?.code == .locked)
            let applied = try await old.read { try StoreSchema.migrator.appliedMigrations($0) }
            #expect(applied == ["1"])
            lock.release()
            try old.close()
        }
    }
}
