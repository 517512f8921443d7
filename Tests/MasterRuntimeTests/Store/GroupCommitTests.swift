import Dispatch
import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

struct GroupCommitTests {
    @Test func `what waits shares one commit`() async throws {
        try await StoreFixture.run { fixture in
            let path = fixture.folder + "/buildmaster.sqlite"
            let outside = try DatabaseQueue(path: path)
            let counted = "SELECT count(*) FROM worker"
            let seen = try await fixture.whileWriterIsBusy { store in
                for number in 1...50 {
                    await store.post { try _ = $0.worker(named: "worker \(number)") }
                }
                return {
                    try await store.write { transaction in
                        (
                            inside: try Int.fetchOne(transaction.database, sql: counted),
                            outside: try outside.read { try Int.fetchOne($0, sql: counted) }
                        )
                    }
                }
            }
            #expect(seen.inside == 51)
            #expect(seen.outside == 1)
            #expect(try await outside.read { try Int.fetchOne($0, sql: counted) } == 51)
        }
    }

    @Test func `a transition that fails is undone alone and its caller hears of it`() async throws {
        try await StoreFixture.run { fixture in
            let error = try await fixture.whileWriterIsBusy { store in
                await store.post { try _ = $0.worker(named: "before") }
                return {
                    async let error = storeError {
                        try await store.write { transaction in
                            _ = try transaction.worker(named: "undone")
                            throw Refusal()
                        }
                    }
                    await store.post { try _ = $0.worker(named: "after") }
                    return try await error
                }
            }
            #expect(error?.code == .transition)
            #expect(error?.message == "a record could not be kept: refused")
            #expect(error?.cause is Refusal)
            #expect(fixture.store.failure == nil)
            let names = try await fixture.store.write {
                try String.fetchAll($0.database, sql: "SELECT name FROM worker ORDER BY name")
            }
            #expect(names == ["after", "before", "w0"])
        }
    }

    @Test func `a transition that fails tells nobody of what it has undone`() async throws {
        try await StoreFixture.run(storing: [.buildNew]) { fixture in
            let events = try await fixture.events {
                let request = try await fixture.submit().requests[0]
                let (builder, workerID) = (fixture.builder, fixture.workerID)
                _ = try await storeError {
                    try await fixture.store.write { transaction in
                        let build = try transaction.claim(
                            request.id, builder: builder, workerID: workerID)
                        try transaction.announce(build)
                        throw Refusal()
                    }
                }
                let build = try await fixture.start(request)
                #expect(build.number == 1)
            }
            #expect(
                events.map(\.kind) == [
                    .buildsetNew, .buildrequestNew, .buildrequestClaimed, .buildNew,
                ])
            #expect(events.last?.sequence == 1)
        }
    }

    @Test func `events are published in the order of their transitions`() async throws {
        try await StoreFixture.run(storing: [.workerMissing]) { fixture in
            let events = try await fixture.events {
                for number in 1...600 {
                    await fixture.store.post { transaction in
                        try transaction.append(
                            Event(
                                at: transaction.now, kind: .workerMissing, lane: number,
                                record: JSONObject()))
                    }
                }
            }
            #expect(events.map(\.lane) == Array(1...600))
            #expect(events.map(\.sequence) == Array(1...600))
        }
    }

    @Test func `an event is published after it can be read`() async throws {
        try await StoreFixture.run(storing: [.buildNew]) { fixture in
            let path = fixture.folder + "/buildmaster.sqlite"
            let outside = try DatabaseQueue(path: path)
            try await fixture.store.events.withSubscription(to: [.buildNew], bound: 1) { events in
                async let build = fixture.startBuild()
                var iterator = events.makeAsyncIterator()
                _ = await iterator.next()
                let stored = try await outside.read {
                    try Int.fetchOne($0, sql: "SELECT count(*) FROM event")
                }
                #expect(stored == 1)
                _ = try await build
            }
        }
    }

    @Test func `many tasks at once lose nothing`() async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...16 {
                    group.addTask {
                        for _ in 1...10 {
                            let build = try await fixture.startBuild()
                            try await fixture.runStep(of: build)
                            try await fixture.finish(build)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await fixture.count("SELECT max(number) FROM build") == 160)
            #expect(try await fixture.count("SELECT count(*) FROM event") == 160)
            #expect(try await fixture.count("SELECT count(*) FROM step WHERE results = 0") == 160)
        }
    }
}

private struct Refusal: Error, CustomStringConvertible {
    var description: String { "refused" }
}

extension StoreFixture {
    /// Enqueues transitions while the writer is blocked, and then unblocks it.
    ///
    /// - Parameters:
    ///   - count: The minimum number of transitions enqueued by the second part of the body.
    ///   - body: Posts transitions, and returns the part to be awaited.
    /// - Returns: The result of the awaited part.
    /// - Throws: Any error from the body.
    func whileWriterIsBusy<Value: Sendable>(
        awaiting count: Int = 1,
        _ body: (Store) async throws -> @Sendable () async throws -> Value
    ) async throws -> Value {
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        await store.post { _ in
            entered.signal()
            leave.wait()
        }
        try await OwnThread.run { entered.wait() }
        let awaited = try await body(store)
        let waiting = store.writer.queue.count + count
        async let value = awaited()
        while store.writer.queue.count < waiting { await Task.yield() }
        leave.signal()
        return try await value
    }
}
