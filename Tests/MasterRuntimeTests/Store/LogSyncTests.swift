import Dispatch
import Foundation
import SystemPackage
import Testing

@testable import MasterRuntime

struct LogSyncTests {
    @Test func `the first commit that is not synced sets the deadline`() throws {
        var sync = LogSync(database: "/nowhere", durability: .process)
        #expect(sync.deadline == .distantFuture)
        sync.noteCommit()
        let deadline = sync.deadline
        #expect(deadline <= .now() + .seconds(1))
        sync.noteCommit()
        #expect(sync.deadline == deadline)
        try sync.syncIfDue()
        #expect(sync.deadline == deadline)
    }

    @Test func `with full durability nothing is left to sync`() {
        var sync = LogSync(database: "/nowhere", durability: .power, interval: .seconds(0))
        sync.noteCommit()
        #expect(sync.deadline == .distantFuture)
    }

    @Test func `what is due is synced once`() async throws {
        try await StoreFixture.inFolder { folder in
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/db-wal"))
            var sync = LogSync(
                database: folder + "/db", durability: .process, interval: .seconds(0))
            sync.noteCommit()
            try sync.syncIfDue()
            #expect(sync.deadline == .distantFuture)
            sync.noteCommit()
            try sync.syncIfDue()
            #expect(sync.deadline == .distantFuture)
        }
    }

    @Test func `a log that cannot be synced is an error`() {
        var sync = LogSync(database: "/nowhere/db", durability: .process, interval: .seconds(0))
        sync.noteCommit()
        #expect(throws: Errno.noSuchFileOrDirectory) { try sync.syncIfDue() }
    }
}
