import FoundationEssentials
import GRDB
import MasterKit
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

    @Test(arguments: ["1", "4", "6"])
    func `the builds of an older store are read`(_ version: String) async throws {
        try await StoreFixture.inFolder { folder in
            let old = try DatabaseQueue(path: folder + "/" + StoreOpening.fileName)
            try StoreSchema.migrator.migrate(old, upTo: version)
            try await old.write { database in
                try database.execute(
                    sql: """
                        INSERT INTO builder (id, name, tags) VALUES (1, 'one', '[]');
                        INSERT INTO worker VALUES (1, 'local');
                        INSERT INTO buildset (id, reason, submitted_at, properties)
                        VALUES (1, 'test', 1000.5, '{}');
                        INSERT INTO build_request
                            (id, buildset_id, builder_id, priority, submitted_at, claimed_at,
                             waited_for)
                        VALUES (1, 1, 1, 0, 1000.5, 1000.5, 0);
                        INSERT INTO build
                            (builder_id, number, request_id, worker_id, started_at, state_string,
                             properties)
                        VALUES (1, 1, 1, 1, 1000.5, 'starting', '{"p":[1,"test"]}');
                        """)
            }
            try old.close()
            let builds = try await BuildHistory.with(folder: folder) { history in
                try await history?.newest(limit: 9)
            }
            #expect(builds?.map(\.build.properties["p"]) == [.int(1)])
            let store = try await Store.open(folder: folder)
            let ended = try await store.endUnfinished(as: .exception, reason: "test")
            #expect(ended.map(\.properties["p"]) == [.int(1)])
            await store.close()
        }
    }
}
