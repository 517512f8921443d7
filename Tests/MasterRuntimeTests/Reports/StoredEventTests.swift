import MasterKit
import Testing

@testable import MasterRuntime

/// The contents of events stored for reports of steps, requests and buildsets.
struct StoredEventTests {
    /// The events of a build with one step.
    private func events(storing kinds: Set<EventKind>) async throws -> [EventKind: Event] {
        var found: [EventKind: Event] = [:]
        try await StoreFixture.run(storing: kinds) { fixture in
            let events = try await fixture.events {
                let build = try await fixture.startBuild()
                try await fixture.runStep(of: build)
                try await fixture.finish(build)
            }
            for event in events { found[event.kind] = event }
        }
        return found
    }

    @Test func `what is stored has its surroundings, what is read live has not`() async throws {
        let kinds: Set<EventKind> = [.buildrequestNew, .stepFinished, .buildsetFinished]
        let stored = try await events(storing: kinds)
        let live = try await events(storing: [])

        #expect(stored[.stepFinished]?.record["build"]?["buildrequest"] != nil)
        #expect(stored[.stepFinished]?.builderName == "ok2")
        #expect(stored[.stepFinished]?.builderTags == ["t1"])
        #expect(stored[.stepFinished]?.property("buildnumber") == 1)
        #expect(stored[.buildrequestNew]?.builderName == "ok2")
        #expect(stored[.buildsetFinished]?.record["properties"] == [:])
        for kind in kinds {
            let bare = try #require(live[kind])
            #expect(bare.builderName == nil)
            #expect(bare.record["build"] == nil && bare.record["properties"]?.objectValue == nil)
            #expect(stored[kind]?.record.keys.starts(with: bare.record.keys) == true)
        }
    }

    @Test func `requests and steps are in the lane of their build, buildsets in their own`()
        async throws
    {
        let events = try await events(storing: Set(EventKind.allCases))
        #expect(events[.buildrequestNew]?.lane == events[.buildFinished]?.lane)
        #expect(events[.stepFinished]?.lane == events[.buildFinished]?.lane)
        #expect(events[.buildsetFinished]?.lane == -1)
    }
}
