import MasterKit
import MasterTesting
import StandardPlugins
import Testing

@Suite(.timeLimit(.minutes(1)))
struct CloudEventsTests {
    private func send(
        _ settings: String, _ build: RecordedBuild, _ events: [Event]? = nil,
        generators: [any ReportGenerator]? = nil
    ) async throws -> [ReceivedRequest] {
        try await CommitStatusBench.send(
            CloudEvents.self, settings, build, events, generators: generators)
    }

    @Test func `a request, a start and an end are events of one run`() async throws {
        let build = RecordedBuild(
            builder: "linux", results: .failure, stateString: "failed 'make' (failure)")
        let requests = try await send(
            "SERVER/events", build, [build.requested, build.started, build.finished])
        let events = try requests.map { try CommitStatusBench.json($0) }
        #expect(
            events.map { $0["context"]?["type"] } == [
                "dev.cdevents.pipelinerun.queued.0.3.0", "dev.cdevents.pipelinerun.started.0.3.0",
                "dev.cdevents.pipelinerun.finished.0.3.0",
            ])
        #expect(Set(events.map { $0["subject"]?["id"] }).count == 1)
        #expect(events.map { $0["subject"]?["content"]?["outcome"] } == [nil, nil, "failure"])
        let end = try #require(events.last)
        #expect(end["context"]?["specversion"] == "0.5.0")
        #expect(end["context"]?["source"] == "https://ci.example.org/")
        #expect(end["context"]?["timestamp"] == "2026-11-22T10:15:48Z")
        #expect(end["subject"]?["content"]?["pipelineName"] == "linux")
        #expect(end["subject"]?["content"]?["errors"] == "failed 'make' (failure)")
    }

    @Test func `the attributes are headers`() async throws {
        let build = RecordedBuild()
        let requests = try await send("{serverUrl: SERVER/, source: \"/a \\\"é\\\"%\"}", build)
        let request = try #require(requests.first)
        let event = try CommitStatusBench.json(request)
        #expect(request.values(of: "Content-Type") == ["application/cdevents+json"])
        #expect(request.header("ce-specversion") == "1.0")
        #expect(request.header("ce-id") == event["context"]?["id"]?.stringValue)
        #expect(request.header("ce-id") == request.header("webhook-id"))
        #expect(request.header("ce-type") == event["context"]?["type"]?.stringValue)
        #expect(request.header("ce-time") == event["context"]?["timestamp"]?.stringValue)
        #expect(request.header("ce-subject") == event["subject"]?["id"]?.stringValue)
        #expect(request.header("ce-source") == "/a%20%22%C3%A9%22%25")
        #expect(event["context"]?["source"] == "/a \"é\"%")
    }

    @Test(arguments: Results.allCases)
    func `an outcome is success, failure or error`(_ results: Results) async throws {
        let requests = try await send("SERVER/", RecordedBuild(results: results))
        let content = try CommitStatusBench.json(try #require(requests.first))["subject"]?[
            "content"]
        let isGood = [.success, .warnings, .skipped].contains(results)
        #expect(
            content?["outcome"] == (isGood ? "success" : results == .failure ? "failure" : "error"))
        #expect((content?["errors"] == nil) == isGood)
    }

    @Test func `another body is a failed delivery`() async throws {
        let generator = try BuildStatusGenerator.configured(
            yaml: "{mode: all, message_formatter: {formatters.MessageFormatter: 'done'}}",
            registry: .standard)
        let error = await #expect(throws: DeliveryError.self) {
            try await send("SERVER/", RecordedBuild(), generators: [generator])
        }
        #expect(error?.verdict == .reject)
        #expect(error?.reason.contains("not an event of CDEvents") == true)
    }
}
