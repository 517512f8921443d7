import Foundation
import MasterKit
import Testing

@testable import MasterRuntime

/// How requests and buildsets finish.
struct BuildRequestTests {
    @Test func `a request is claimed once`() async throws {
        try await StoreFixture.run { fixture in
            let request = try await fixture.submit().requests[0]
            let build = try await fixture.start(request)
            let second = try await storeError { try await fixture.start(request) }
            #expect(second?.code == .conflict)
            #expect(second?.message == "the build request \(request.id) is not pending")
            try await fixture.finish(build)
            #expect(try await storeError { try await fixture.start(request) }?.code == .conflict)
            #expect(try await fixture.count("SELECT next_number FROM builder") == 2)
        }
    }

    @Test func `a build ends once`() async throws {
        try await StoreFixture.run { fixture in
            let build = try await fixture.startBuild()
            try await fixture.finish(build)
            let error = try await storeError { try await fixture.finish(build, .failure) }
            #expect(error?.message == "the build 1 is not running")
            let found = try await fixture.store.read { try Build.find(build.id, in: $0) }
            #expect(found?.results == .success)
        }
    }

    @Test(arguments: [
        ([Results.success, .success], Results.success),
        ([.skipped, .skipped], .success),
        ([.success, .warnings], .warnings),
        ([.cancelled, .failure], .cancelled),
        ([.exception, .failure, .warnings], .exception),
    ])
    func `a buildset ends with its last request and the worst result`(
        results: [Results], worst: Results
    ) async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let requests = try await fixture.submit(
                    results.map { _ in fixture.builder }
                ).requests
                for (request, results) in zip(requests, results) {
                    try await fixture.finish(try await fixture.start(request), results)
                }
            }
            #expect(events.count { $0.kind == .buildsetFinished } == 1)
            #expect(events.last?.kind == .buildsetFinished)
            #expect(events.last?.results == worst)
            let ends = events.filter { $0.kind == .buildFinished }
            #expect(
                ends.map { $0.record["buildset"]?["complete"] }
                    == Array(repeating: false, count: results.count - 1) + [true])
            #expect(ends.last?.record["buildset"]?["results"] == .int(worst.rawValue))
        }
    }

    @Test func `a pending request can be cancelled, a claimed one not`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let requests = try await fixture.submit([fixture.builder, fixture.builder]).requests
                let build = try await fixture.start(requests[0])
                let cancelled = try await fixture.store.write { transaction in
                    try requests.map { try transaction.cancelRequest($0.id) }
                }
                #expect(cancelled == [false, true])
                try await fixture.finish(build)
                let unknown = try await storeError {
                    try await fixture.store.write { try $0.cancelRequest(99) }
                }
                #expect(unknown?.message == "there is no build request 99 in the store")
            }
            #expect(
                events.map(\.kind).suffix(5) == [
                    .buildrequestCancelled, .buildrequestFinished,
                    .buildFinished, .buildrequestFinished, .buildsetFinished,
                ])
            #expect(events[5].record["results"] == 6)
            #expect(events[5].record["claimed"] == true)
            #expect(events.last?.results == .cancelled)
        }
    }

    @Test func `requests wait by priority and then by age`() async throws {
        try await StoreFixture.run { fixture in
            let (builder, buildset) = (
                fixture.builder, Buildset(id: 0, reason: "", submittedAt: StoreFixture.now)
            )
            let ids = try await fixture.store.write { transaction in
                try [0, 5, 0, 5].map { priority in
                    try transaction.submit(
                        buildset, builders: [builder], properties: Properties(),
                        priority: priority
                    ).requests[0].id
                }
            }
            let pending = try await fixture.store.read { try BuildRequest.pending(in: $0) }
            #expect(pending.sorted().map(\.id) == [ids[1], ids[3], ids[0], ids[2]])
        }
    }

    @Test func `a submission is kept as it was given`() async throws {
        try await StoreFixture.run { fixture in
            let builder = fixture.builder
            var properties = Properties()
            properties.set("größe", ["\u{1}", 1.5, nil], source: "Ü\"")
            let given = Buildset(
                id: 0, reason: "weil", submittedAt: StoreFixture.now - 60,
                sourceStamps: [
                    SourceStamp(id: 0, revision: "1", codebase: "a", createdAt: StoreFixture.now),
                    SourceStamp(id: 0, branch: "b", codebase: "b", createdAt: StoreFixture.now),
                ], parentBuildID: 7, parentRelationship: "Triggered from", rebuiltBuildID: 8)
            let submission = try await fixture.store.write { [properties] transaction in
                try transaction.submit(
                    given, builders: [builder], properties: properties, waitedFor: true)
            }
            let found = try await fixture.store.read { try Buildset.find(1, in: $0) }
            #expect(found == submission.buildset)
            #expect(found?.submittedAt == StoreFixture.now)
            #expect(found?.sourceStamps.map(\.codebase) == ["a", "b"])
            #expect(found?.rebuiltBuildID == 8)
            let request = try await fixture.store.read { try BuildRequest.find(1, in: $0) }
            #expect(request == submission.requests.first)
            #expect(request?.waitedFor == true)
            let kept = try await fixture.store.read { try Buildset.properties(1, in: $0) }
            #expect(kept == properties)
        }
    }
}
