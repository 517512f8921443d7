import Foundation
import GRDB
import MasterKit
import Testing

@testable import MasterRuntime

/// Which events occur, and in which order.
struct BuildEventTests {
    @Test func `a build with a step and a log is told of in order`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let build = try await fixture.startBuild()
                try await fixture.runStep(of: build)
                await fixture.store.post { transaction in
                    var changed = Properties()
                    changed.set("got_revision", "abc", source: "Git")
                    try transaction.updateBuild(build.id, changed: changed)
                }
                try await fixture.finish(build)
            }
            #expect(
                events.map(\.kind) == [
                    .buildsetNew, .buildrequestNew, .buildrequestClaimed, .buildNew,
                    .stepNew, .stepStarted, .stepUpdated, .logNew, .logFinished, .stepFinished,
                    .propertiesUpdated, .buildFinished, .buildrequestFinished, .buildsetFinished,
                ])
            let ofBuild = events.filter { $0.buildID != nil }
            #expect(ofBuild.count == 9)
            #expect(ofBuild.allSatisfy { $0.buildID == 1 && $0.lane == 1 })
            #expect(events.allSatisfy { $0.sequence == nil && $0.at == StoreFixture.now })
            #expect(events[10].record == ["got_revision": ["abc", "Git"]])
            #expect(events[9].record["complete"] == true)
            #expect(events[8].record["num_lines"] == 1)
        }
    }

    @Test func `only wanted kinds are stored, and stored ones are read as they were published`()
        async throws
    {
        try await StoreFixture.inFolder { folder in
            let fixture = try await StoreFixture.open(folder)
            fixture.store.storeEvents(of: [.buildNew, .buildFinished])
            let events = try await fixture.events {
                try await fixture.finish(try await fixture.startBuild())
            }
            let sequences = events.filter { $0.sequence != nil }
            #expect(sequences.map(\.kind) == [.buildNew, .buildFinished])
            #expect(sequences.map(\.sequence) == [1, 2])

            let again = try await StoreFixture.open(folder)
            let stored = try await again.store.read {
                try Event.stored(after: 0, limit: 10, in: $0)
            }
            #expect(stored == sequences)
            let last = try await again.store.read { try Event.stored(at: 2, in: $0) }
            #expect(last == sequences.last)
            #expect(last.map { "\($0.record)" } == sequences.last.map { "\($0.record)" })
            #expect(try await again.store.read { try Event.newestSequence(in: $0) } == 2)
            await again.store.close()
        }
    }

    @Test func `nothing is made of what nobody wants`() async throws {
        try await StoreFixture.run { fixture in
            try await fixture.store.write { transaction in
                try transaction.append(.workerMissing, lane: 0) {
                    Issue.record("a record was made that nobody wants")
                    return JSONObject()
                }
                #expect(transaction.events.isEmpty)
            }
            #expect(try await fixture.count("SELECT count(*) FROM event") == 0)
        }
    }

    @Test func `the previous build is the last finished one that was no retry`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let first = try await fixture.startBuild()
                let second = try await fixture.startBuild()
                try await fixture.finish(second, .failure)
                try await fixture.finish(first)
                let third = try await fixture.startBuild()
                try await fixture.finish(third, .retry, outcome: .retried)
                try await fixture.finish(try await fixture.startBuild())
            }
            let starts = events.filter { $0.kind == .buildNew }
            #expect(starts.map(\.previousBuildID) == [nil, nil, 2, 2])
            let ends = events.filter { $0.kind == .buildFinished }
            #expect(ends.map(\.buildID) == [2, 1, 3, 4])
            #expect(ends.map(\.previousBuildID) == [nil, nil, 2, 2])
        }
    }

    @Test func `a retried build leaves its request pending for another build`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let request = try await fixture.submit().requests[0]
                let first = try await fixture.start(request)
                try await fixture.finish(first, .retry, outcome: .retried)
                let pending = try await fixture.store.read { try BuildRequest.pending(in: $0) }
                #expect(pending.map(\.id) == [request.id])
                let second = try await fixture.start(request)
                #expect(second.number == 2)
                try await fixture.finish(second)
                let builds = try await fixture.store.read {
                    try Build.all(ofRequest: request.id, in: $0)
                }
                #expect(builds.map(\.results) == [.retry, .success])
            }
            #expect(
                events.map(\.kind) == [
                    .buildsetNew, .buildrequestNew, .buildrequestClaimed, .buildNew,
                    .buildFinished, .buildrequestUnclaimed, .buildrequestClaimed, .buildNew,
                    .buildFinished, .buildrequestFinished, .buildsetFinished,
                ])
            let retried = events[4].record
            #expect(retried["results"] == 5)
            #expect(retried["buildrequest"]?["claimed"] == false)
            #expect(retried["buildrequest"]?["complete"] == false)
            #expect(events[5].record["claimed_at"] == .null)
        }
    }
}
