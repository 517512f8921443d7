import Foundation
import GRDB
import MasterKit
import SystemPackage
import Testing

@testable import MasterRuntime

/// What happens when nothing can be written any more.
struct StoreFailureTests {
    @Test func `a full disk stops the store with one sentence and keeps what was committed`()
        async throws
    {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            let build = try await fixture.startBuild()
            try await fixture.limitSize()
            let error = try await storeError { try await fixture.fill() }
            #expect(error?.code == .full)
            #expect(
                error?.message == "the disk of \(folder)/buildmaster.sqlite is full; recording and "
                    + "builds have stopped; free disk space and start again")
            await fixture.store.waitForEnd()
            #expect(fixture.store.failure?.message == error?.message)
            let later = try await storeError { try await fixture.finish(build) }
            #expect(later?.message == error?.message)
            await fixture.store.post { _ in Issue.record("a stopped store takes nothing") }
            #expect(try await fixture.count("SELECT count(*) FROM build") == 1)
            await fixture.store.close()

            let again = try await StoreFixture.open(folder)
            #expect(again.store.endedUncleanly)
            let unfinished = try await again.store.read { try Build.unfinished(in: $0) }
            #expect(unfinished == [build])
            await again.store.close()
        }
    }

    @Test func `a full disk fails all that shared the commit`() async throws {
        try await StoreFixture.run { fixture in
            try await fixture.limitSize()
            let errors = try await fixture.whileWriterIsBusy(awaiting: 2) { store in
                {
                    async let small = storeError {
                        try await store.write { try $0.worker(named: "small") }
                    }
                    async let large = storeError { try await fixture.fill() }
                    return try await [small, large]
                }
            }
            #expect(errors.map { $0?.code } == [.full, .full])
        }
    }

    @Test func `a commit that fails fails its batch and stops the store`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            let error = try await storeError {
                try await fixture.store.write { transaction in
                    try transaction.database.run("PRAGMA defer_foreign_keys = ON")
                    try transaction.database.run(
                        "INSERT INTO source_stamp VALUES (1, 99, '', '', '', '', '', 0)")
                }
            }
            #expect(error?.message == "a record could not be kept: FOREIGN KEY constraint failed")
            await fixture.store.waitForEnd()
            let later = try await storeError { try await fixture.submit() }
            #expect(later?.message == error?.message)
            await fixture.store.close()
            let again = try await StoreFixture.open(folder)
            #expect(try await again.count("SELECT count(*) FROM source_stamp") == 0)
            await again.store.close()
        }
    }

    @Test func `a posted transition that fails stops the store after its batch`() async throws {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            let shared: Int = try await fixture.whileWriterIsBusy { store in
                await store.post { try $0.startStep(99) }
                return { try await store.write { try $0.worker(named: "the same commit") } }
            }
            #expect(shared == 2)
            await fixture.store.waitForEnd()
            #expect(fixture.store.failure?.message == "there is no step 99 in the store")
            let later = try await storeError { try await fixture.submit() }
            #expect(later?.message == "there is no step 99 in the store")
            await fixture.store.close()
            let again = try await StoreFixture.open(folder)
            #expect(try await again.count("SELECT count(*) FROM worker") == 2)
            await again.store.close()
        }
    }

    @Test func `a query that fails is said and stops nothing`() async throws {
        try await StoreFixture.run { fixture in
            let error = try await storeError { try await fixture.count("SELECT colour") }
            #expect(error?.code == .transition)
            #expect(error?.message == "a record could not be read: no such column: colour")
            _ = try await fixture.startBuild()
        }
    }

    @Test(arguments: ["moved", "deleted", "replaced"])
    func `a folder that is no longer there stops the store, which would write to nothing`(
        _ fate: String
    ) async throws {
        try await StoreFixture.inFolder { root in
            let folder = root + "/base"
            let fixture = try await StoreFixture.open(folder)
            let files = FileManager.default
            if fate == "deleted" {
                try files.removeItem(atPath: folder)
            } else {
                try files.moveItem(atPath: folder, toPath: root + "/elsewhere")
            }
            let other = fate == "replaced" ? try await StoreFixture.open(folder) : nil
            let error = try await storeError { try await fixture.submit() }
            #expect(
                error?.message
                    == "\(folder)/buildmaster.sqlite was moved, deleted or replaced while "
                    + "the master was running; recording and builds have stopped; put the folder "
                    + "back, or restore a backup, and start again")
            await fixture.store.waitForEnd()
            await fixture.store.close()
            _ = try await other?.submit()
            await other?.store.close()
        }
    }

    @Test func `a file system that is read-only is called that`() {
        let path = "/srv/ci/lock"
        let error = StoreError(opening: path, folder: "/srv/ci", cause: Errno.readOnlyFileSystem)
        #expect(error.code == .readOnly)
        #expect(
            error.message == "/srv/ci is on a file system that is read-only; see the system's log "
                + "for the reason and make it writable, or name another folder with --basedir")
        let fault = LogFault(path: "/srv/ci/logs/1", cause: Errno.readOnlyFileSystem)
        #expect(
            fault.description.hasSuffix(
                "; make the file system writable, or choose another --basedir"))
    }

    @Test func `a query is not disturbed by the cancellation of its task`() async throws {
        try await StoreFixture.run { fixture in
            try await withThrowingTaskGroup(of: Int.self) { group in
                group.cancelAll()
                group.addTask { try await fixture.count("SELECT count(*) FROM worker") }
                for try await count in group { #expect(count == 1) }
            }
        }
    }
}

extension StoreFixture {
    /// Leaves room for only a few pages.
    fileprivate func limitSize() async throws {
        try await store.write { transaction in
            let count = try Int.fetchOne(transaction.database, sql: "PRAGMA page_count") ?? 0
            try transaction.database.execute(sql: "PRAGMA max_page_count = \(count + 2)")
        }
    }

    fileprivate func fill() async throws {
        let text = String(repeating: "x", count: 1 << 20)
        try await store.write { _ = try $0.worker(named: text) }
    }
}
