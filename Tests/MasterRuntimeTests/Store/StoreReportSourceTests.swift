import Foundation
import MasterKit
import Testing

@testable import MasterRuntime

struct StoreReportSourceTests {
    @Test func `without details the record comes as it is`() async throws {
        try await withFinishedBuild { source, event, _ in
            let record = try await self.record(source, event, BuildDetails())
            #expect("\(record)" == "\(event.record)")
        }
    }

    @Test func `unwanted properties are an empty mapping in their place`() async throws {
        try await withFinishedBuild { source, event, _ in
            let record = try await self.record(source, event, BuildDetails(properties: false))
            #expect(record["properties"] == .object(JSONObject()))
            #expect(record.keys == event.record.keys)
        }
    }

    @Test func `steps come last, in order, without logs`() async throws {
        try await withFinishedBuild { source, event, _ in
            let record = try await self.record(source, event, BuildDetails(steps: true))
            #expect(record.keys == event.record.keys + ["steps"])
            let steps = record["steps"]?.arrayValue ?? []
            #expect(steps.map { $0["number"] } == [1, 2])
            #expect(
                steps.first?.objectValue?.keys == [
                    "stepid", "number", "name", "buildid", "started_at", "locks_acquired_at",
                    "complete", "complete_at", "state_string", "results", "urls", "hidden",
                ])
        }
    }

    @Test func `logs bring the steps with them and have the captured keys and addresses`()
        async throws
    {
        try await withFinishedBuild { source, event, _ in
            let record = try await self.record(source, event, BuildDetails(logs: true))
            let log = try #require(record["steps"]?[1]?["logs"]?[0]?.objectValue)
            #expect(
                log.keys == [
                    "logid", "name", "slug", "stepid", "complete", "num_lines", "type",
                    "stepname", "url", "url_raw", "url_raw_inline",
                ])
            #expect(log["stepname"] == "first")
            #expect(
                log["url"]
                    == "http://127.0.0.1:8010/#/builders/1/builds/1/steps/2/logs/stdio")
            #expect(log["url_raw"] == "http://127.0.0.1:8010/api/v2/logs/2/raw")
            #expect(log["url_raw_inline"] == "http://127.0.0.1:8010/api/v2/logs/2/raw_inline")
        }
    }

    @Test(arguments: [
        (BuildDetails.LogContents.all, true), (.named(["stdio"]), true),
        (.named(["first.stdio"]), true), (.named(["second.stdio", "content"]), false),
    ])
    func `content comes for the logs that are named`(
        contents: BuildDetails.LogContents, isThere: Bool
    ) async throws {
        try await withFinishedBuild { source, event, _ in
            let record = try await self.record(
                source, event, BuildDetails(logContents: contents))
            let log = try #require(record["steps"]?[0]?["logs"]?[0]?.objectValue)
            let content: JSONValue = [
                "logid": 1, "firstline": 0, "content": "hfirst\noone\n",
            ]
            #expect(log["content"] == (isThere ? content : Optional.none))
            #expect(log.keys.last == (isThere ? "content" : "url_raw_inline"))
        }
    }

    @Test func `only the lines of a stream have marks`() async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            let build = try await fixture.startBuild()
            try await fixture.runStep(of: build, lines: "oone\no\noout\n", kind: .text)
            try await fixture.finish(build)
            let event = try await fixture.store.read { try Event.stored(at: 1, in: $0) }
            let record = try await self.record(
                StoreReportSource(fixture.store), try #require(event),
                BuildDetails(logContents: .all))
            let content = record["steps"]?[0]?["logs"]?[0]?["content"]?["content"]
            #expect(content == "one\n\nout\n")
        }
    }

    @Test(arguments: [
        (1, 2, "out\n"), (2, 1, "\nout\n"), (3, 0, "one\n\nout\n"), (9, 0, "one\n\nout\n"),
    ])
    func `a tail has the last lines, and says which they are`(
        _ count: Int, _ firstLine: Int, _ text: String
    ) async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            let build = try await fixture.startBuild()
            try await fixture.runStep(of: build, lines: "oone\no\noout\n", kind: .text)
            try await fixture.finish(build)
            let event = try await fixture.store.read { try Event.stored(at: 1, in: $0) }
            let record = try await self.record(
                StoreReportSource(fixture.store), try #require(event),
                BuildDetails(logContents: .all, logTail: count))
            let content = record["steps"]?[0]?["logs"]?[0]?["content"]
            #expect(content?["content"] == .string(text))
            #expect(content?["firstline"] == .int(firstLine))
        }
    }

    @Test(arguments: [
        (1, 2, "etwo\r\nhend\n"), (2, 1, "oone\r\netwo\r\nhend\n"),
        (3, 0, "hmake\noone\r\netwo\r\nhend\n"),
    ])
    func `a tail counts lines of output, not header lines`(
        _ count: Int, _ firstLine: Int, _ text: String
    ) async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            let build = try await fixture.startBuild()
            try await fixture.runStep(
                of: build, lines: "hmake\noone\r\netwo\r\nhend\n", kind: .stream)
            try await fixture.finish(build)
            let event = try await fixture.store.read { try Event.stored(at: 1, in: $0) }
            let record = try await self.record(
                StoreReportSource(fixture.store), try #require(event),
                BuildDetails(logContents: .all, logTail: count))
            let content = record["steps"]?[0]?["logs"]?[0]?["content"]
            #expect(content?["content"] == .string(text))
            #expect(content?["firstline"] == .int(firstLine))
        }
    }

    @Test func `a log whose file was removed has no content and does no harm`() async throws {
        try await withFinishedBuild { source, event, fixture in
            try FileManager.default.removeItem(atPath: fixture.folder + "/logs")
            let record = try await self.record(source, event, BuildDetails(logContents: .all))
            #expect(record["steps"]?[0]?["logs"]?[0]?["content"]?["content"] == "")
        }
    }

    @Test func `events of other records come as they are`() async throws {
        try await withFinishedBuild { source, event, _ in
            let other = Event(
                at: event.at, kind: .logFinished, lane: 1, record: ["logid": 1])
            let record = try await self.record(
                source, other, BuildDetails(properties: false, steps: true))
            #expect(record == other.record)
        }
    }

    @Test func `results of steps are looked up by name`() async throws {
        try await withFinishedBuild { source, _, fixture in
            let (known, other, unknown) = try await (
                source.results(ofStep: "first", inBuild: 1),
                source.results(ofStep: "second", inBuild: 1),
                source.results(ofStep: "first", inBuild: 99)
            )
            #expect(known == .success)
            #expect(other == nil)
            #expect(unknown == nil)
        }
    }

    @Test func `results of builds are looked up`() async throws {
        try await withFinishedBuild { source, event, _ in
            let (known, unknown) = try await (
                source.results(ofBuild: 1), source.results(ofBuild: 99)
            )
            #expect(known == .failure)
            #expect(unknown == nil)
        }
    }

    /// The record for a report of an event.
    private func record(
        _ source: StoreReportSource, _ event: Event, _ details: BuildDetails
    ) async throws -> JSONObject {
        let context = ReportContext(
            event: event, formatter: RecordFormatter(), master: MasterIdentity(),
            logger: Logger(label: "test"), source: source)
        return try await context.topic(with: details).record
    }

    /// Runs a closure with the finish event of a build that had two steps with a log each.
    private func withFinishedBuild(
        _ body: (StoreReportSource, Event, StoreFixture) async throws -> Void
    ) async throws {
        try await StoreFixture.run(storing: [.buildFinished]) { fixture in
            let build = try await fixture.startBuild()
            try await fixture.runStep(1, of: build, lines: "hfirst\noone\n")
            try await fixture.runStep(2, of: build)
            try await fixture.finish(build, .failure)
            let event = try await fixture.store.read { try Event.stored(at: 1, in: $0) }
            try await body(StoreReportSource(fixture.store), try #require(event), fixture)
        }
    }
}
