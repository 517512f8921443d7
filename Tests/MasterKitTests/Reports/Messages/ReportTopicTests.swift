import MasterKit
import MasterTesting
import Testing

/// The data passed to a formatter.
struct ReportTopicTests {
    private func topic(
        of event: Event, in source: any ReportSource = RecordedBuild(),
        modes: [ReportModes.Mode] = [], details: BuildDetails = BuildDetails()
    ) async throws -> ReportTopic {
        let context = ReportContext(
            event: event, formatter: RecordFormatter(), master: MasterIdentity(title: "Title"),
            logger: Logger(label: "test"), source: source)
        return try await context.topic(
            with: details, ReportOptions(modes: ReportModes(modes)))
    }

    /// The result, the previous one, the modes, and the resulting text.
    @Test(
        arguments: [
            (Results.failure, Results.success, [ReportModes.Mode.change], "new failure"),
            (.failure, .success, [.problem], "new failure"),
            (.failure, .success, [.failing], "failed build"),
            (.failure, .failure, [.change], "failed build"),
            (.failure, nil, [.change], "failed build"),
            (.success, .failure, [.change], "restored build"),
            (.success, .failure, [.problem], "passing build"),
            (.success, .success, [.change], "passing build"),
            (.success, nil, [.change], "passing build"),
            (.warnings, .success, [.change], "problem in the build"),
            (.exception, .success, [.change], "build exception"),
            (.cancelled, nil, [], "cancelled build"), (.skipped, nil, [], "skipped build"),
            (.retry, nil, [], "retry build"),
        ] as [(Results, Results?, [ReportModes.Mode], String)])
    func `the status is told in words`(
        _ results: Results, _ previous: Results?, _ modes: [ReportModes.Mode], _ words: String
    ) async throws {
        let build = RecordedBuild(number: 2, results: results, previousResults: previous)
        let topic = try await topic(of: build.finished, in: build, modes: modes)
        #expect(topic.variables["status_detected"] == .string(words))
    }

    @Test(arguments: [
        (Results.success, "Build succeeded!"), (.warnings, "Build Had Warnings: text"),
        (.cancelled, "Build was cancelled"), (.failure, "BUILD FAILED: text"),
        (.skipped, "BUILD FAILED: text"), (.retry, "BUILD FAILED: text"),
        (.exception, "BUILD FAILED: text"),
    ])
    func `the summary tells the result, and the state where it matters`(
        _ results: Results, _ words: String
    ) async throws {
        let build = RecordedBuild(results: results, stateString: "text")
        #expect(try await topic(of: build.finished).variables["summary"] == .string(words))
        let silent = RecordedBuild(results: results, stateString: "")
        let colonless = words.replacing(": text", with: "")
        #expect(
            try await topic(of: silent.finished).variables["summary"] == .string(colonless))
    }

    @Test func `sources are told line by line`() async throws {
        let build = RecordedBuild(sourceStamps: [
            SourceStamp(branch: "main", revision: "abc", project: "p", codebase: "core"),
            SourceStamp(project: "p"), SourceStamp(branch: "", revision: "", project: "q"),
        ])
        let variables = try await topic(of: build.finished, in: build).variables
        #expect(
            variables["sourcestamps"]
                == "Source 'core': [branch main] abc\nSource: HEAD\nSource: HEAD")
        #expect(variables["projects"] == "p, q")
    }

    /// Lines of a program that ends them as Windows does, and begins one with an accent.
    private static let content: JSONValue =
        "hmake\noone\r\neé\u{301}\r\no\u{301}two\nhended\n"

    @Test func `the first failed step, its log as text and the duration are variables`()
        async throws
    {
        let log: JSONValue = [
            "name": "stdio", "type": "s",
            "content": ["logid": 1, "firstline": 0, "content": Self.content],
        ]
        let page: JSONValue = ["name": "p", "type": "h", "content": ["content": "<p>\n"]]
        let build = RecordedBuild(
            results: .failure,
            steps: [
                ["name": "a", "results": 0], ["name": "b", "results": 1],
                ["name": "c", "results": 2, "logs": [log, page, ["name": "none"]]],
                ["name": "d", "results": 4],
            ])
        let details = BuildDetails(steps: true, logs: true, logContents: .all)
        let variables = try await topic(of: build.finished, in: build, details: details).variables
        #expect(variables["failed_step"]?["name"] == "c")
        let logs = variables["failed_step"]?["logs"]
        #expect(logs?[0]?["text"] == "one\r\né\u{301}\r\n\u{301}two\n")
        #expect(logs?[0]?["content"]?["content"] == Self.content)
        #expect(logs?[1]?["text"] == "<p>\n")
        #expect(logs?[2]?["text"] == nil)
        #expect(variables["duration"] == "1s")
        #expect(variables["build"]?["steps"]?[2]?["logs"] == logs)

        let well = RecordedBuild(steps: [["name": "a", "results": 0]])
        let started = try await topic(of: well.started, in: well, details: details).variables
        #expect(started["failed_step"] == .null)
        #expect(started["duration"] == .null)
        // The record itself is that of the data API.
        let record = try await topic(of: build.finished, in: build, details: details).record
        #expect(record["steps"]?[2]?["logs"]?[0]?["text"] == nil)
    }

    @Test func `every kind has every name`() async throws {
        let build = RecordedBuild(number: 2)
        let buildset = RecordedBuildset([build])
        let topics = [
            try await topic(of: build.started), try await topic(of: build.finished),
            try await topic(of: build.stepFinished("test")), try await topic(of: build.requested),
            try await topic(of: buildset.finished, in: buildset),
        ]
        for topic in topics {
            #expect(topic.variables.keys.sorted() == ReportTopic.variableNames)
        }
        #expect(
            topics.map { $0.variables["kind"] } == [
                "build", "build", "step", "buildrequest", "buildset",
            ])
        #expect(topics.map { $0.build == nil } == [false, false, false, false, true])
        #expect(topics.map { $0.step == nil } == [true, true, false, true, true])
        #expect(topics.allSatisfy { $0.buildset?["reason"] == "test" })
    }

    @Test func `people are those of owner and owners, each once`() async throws {
        let build = RecordedBuild(properties: ["owner": "zoe", "owners": ["ann", "zoe"]])
        #expect(try await topic(of: build.finished).users == ["ann", "zoe"])
        let list = RecordedBuild(properties: ["owner": ["b", "a"]])
        #expect(try await topic(of: list.finished).users == ["a", "b"])
    }

    @Test func `properties are known whether or not the record has them`() async throws {
        let build = RecordedBuild(properties: ["a": 1, "workername": "w0", "owner": "ann"])
        let topic = try await topic(
            of: build.finished, details: BuildDetails(properties: false))
        #expect(topic.record["properties"] == [:])
        #expect(topic.properties["a"] == 1)
        #expect(topic.variables["workername"] == "w0")
        #expect(topic.users == ["ann"])
    }

    @Test func `how it ended before is looked up only when it is asked for`() async throws {
        let build = RecordedBuild(number: 2, previousResults: .warnings)
        #expect(try await topic(of: build.finished, in: build).previousResults == nil)
        #expect(
            try await topic(of: build.finished, in: build, modes: [.change]).previousResults
                == .warnings)
        #expect(
            try await topic(
                of: build.finished, in: build, details: BuildDetails(previousResults: true)
            ).previousResults == .warnings)
    }
}
