import Foundation
import MasterKit
import Testing

@testable import MasterRuntime

/// The contents of a build's events: the keys, their order, and the types of their values are those
/// of Buildbot's data API, as in a captured status push.
struct BuildRecordTests {
    @Test func `the record of a start has the captured keys in order, with values of their kind`()
        async throws
    {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events { _ = try await fixture.startBuild() }
            #expect(events.last?.kind == .buildNew)
            #expect(
                shape(try #require(events.last).record)
                    == capturedShape(complete: false, surroundingsComplete: false))
        }
    }

    @Test func `the record of an end tells the truth about its request and buildset`() async throws
    {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                try await fixture.finish(try await fixture.startBuild(), .warnings)
            }
            let record = try #require(events.first { $0.kind == .buildFinished }).record
            #expect(shape(record) == capturedShape(complete: true, surroundingsComplete: true))
            #expect(record["results"] == 1)
            #expect(record["complete_at"] == 1_795_342_428)
            #expect(record["state_string"] == "build warnings")
            #expect(record["url"] == "http://127.0.0.1:8010/#/builders/1/builds/1")
            for part in ["buildrequest", "buildset"] {
                #expect(record[part]?["complete"] == true)
                #expect(record[part]?["results"] == 1)
                #expect(record[part]?["complete_at"] == 1_795_342_428)
            }
        }
    }

    @Test func `an end report of a build whose buildset goes on does not say that it is over`()
        async throws
    {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let requests = try await fixture.submit([fixture.builder, fixture.builder]).requests
                try await fixture.finish(try await fixture.start(requests[0]))
            }
            let record = try #require(events.last { $0.kind == .buildFinished }).record
            #expect(record["buildrequest"]?["complete"] == true)
            #expect(record["buildset"]?["complete"] == false)
            #expect(record["buildset"]?["results"] == -1)
        }
    }

    @Test func `an event keeps the builder and properties as they were`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                var build = try await fixture.startBuild()
                try await fixture.store.write {
                    _ = try $0.builder(named: "ok2", description: "changed", tags: [])
                }
                build.properties.set("got_revision", "abc", source: "Git")
                try await fixture.finish(build)
            }
            let records = events.filter { $0.kind == .buildNew || $0.kind == .buildFinished }
                .map(\.record)
            #expect(
                records.map { $0["builder"]?["description"] } == ["two shell steps", "changed"])
            #expect(records[0]["properties"]?["got_revision"] == nil)
            #expect(records[1]["properties"]?["got_revision"] == ["abc", "Git"])
        }
    }

    @Test func `properties that are deep or large are kept and read again`() async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            var build = try await fixture.startBuild()
            let deep = (0..<300).reduce(JSONValue.null) { value, _ in [value] }
            build.properties.set("deep", deep, source: "step")
            build.properties.set(
                "large", .string(String(repeating: "\u{1}", count: 1 << 16)), source: "step")
            try await fixture.finish(build)
            let found = try await fixture.store.read { try Build.find(1, in: $0) }
            #expect(found?.properties == build.properties)
            let event = try await fixture.store.read { try Event.stored(at: 1, in: $0) }
            #expect(event?.property("deep") == deep)
        }
    }

    @Test func `the record names the build that triggered it, and its builder`() async throws {
        try await StoreFixture.run { fixture in
            let events = try await fixture.events {
                let parent = try await fixture.startBuild()
                let builder = fixture.builder
                let request = try await fixture.store.write { transaction in
                    try transaction.submit(
                        Buildset(
                            id: 0, reason: "triggered", submittedAt: StoreFixture.now,
                            parentBuildID: parent.id, parentRelationship: "Triggered from"),
                        builders: [builder], properties: Properties()
                    ).requests[0]
                }
                _ = try await fixture.start(request)
            }
            let record = try #require(events.last).record
            #expect(record["parentbuild"]?["buildid"] == 1)
            #expect(record["parentbuild"]?["number"] == 1)
            #expect(record["parentbuilder"]?["name"] == "ok2")
            #expect(record["buildset"]?["parent_relationship"] == "Triggered from")
        }
    }

    /// Replaces values by their types, in order.
    private func shape(_ record: JSONObject) -> String {
        func shape(_ value: JSONValue) -> JSONValue {
            switch value {
            case .object(let object): .object(object.mapValues { shape($0) })
            case .array(let array): .array(array.map { shape($0) })
            case .null: "null"
            case .bool: "a boolean"
            case .number: "a number"
            case .string: "a text"
            }
        }
        return "\(shape(.object(record)))"
    }

    private func capturedShape(complete: Bool, surroundingsComplete: Bool) -> String {
        let (number, text, flag, none) = ("a number", "a text", "a boolean", "null")
        let end = complete ? number : none
        let surroundingEnd = surroundingsComplete ? number : none
        let pairs: [(String, JSONValue)] = [
            ("buildid", .string(number)), ("number", .string(number)),
            ("builderid", .string(number)), ("buildrequestid", .string(number)),
            ("workerid", .string(number)), ("masterid", .string(number)),
            ("started_at", .string(number)), ("complete_at", .string(end)),
            ("locks_duration_s", .string(number)), ("complete", .string(flag)),
            ("state_string", .string(text)), ("results", .string(end)),
            (
                "properties",
                [
                    "reason": [.string(text), .string(text)],
                    "buildnumber": [.string(number), .string(text)],
                ]
            ),
            (
                "buildrequest",
                [
                    "buildrequestid": .string(number), "buildsetid": .string(number),
                    "builderid": .string(number), "priority": .string(number),
                    "claimed": .string(flag), "claimed_at": .string(number),
                    "claimed_by_masterid": .string(number), "complete": .string(flag),
                    "results": .string(number), "submitted_at": .string(number),
                    "complete_at": .string(surroundingEnd), "waited_for": .string(flag),
                    "properties": .string(none),
                ]
            ),
            ("buildset", buildsetShape(end: surroundingEnd)),
            ("parentbuild", .string(none)), ("parentbuilder", .string(none)),
            (
                "builder",
                [
                    "builderid": .string(number), "name": .string(text),
                    "masterids": [.string(number)], "description": .string(text),
                    "description_format": .string(none), "description_html": .string(none),
                    "projectid": .string(none), "tags": [.string(text)],
                ]
            ),
            ("url", .string(text)),
        ]
        return "\(JSONObject(pairs))"
    }

    private func buildsetShape(end: String) -> JSONValue {
        let (number, text, flag, none) = ("a number", "a text", "a boolean", "null")
        return [
            "bsid": .string(number), "external_idstring": .string(none), "reason": .string(text),
            "submitted_at": .string(number), "complete": .string(flag),
            "complete_at": .string(end), "results": .string(number),
            "parent_buildid": .string(none), "parent_relationship": .string(none),
            "rebuilt_buildid": .string(none),
            "sourcestamps": [
                [
                    "ssid": .string(number), "branch": .string(text), "revision": .string(text),
                    "project": .string(text), "repository": .string(text),
                    "codebase": .string(text), "created_at": .string(number),
                    "patch": .string(none),
                ]
            ],
        ]
    }
}
