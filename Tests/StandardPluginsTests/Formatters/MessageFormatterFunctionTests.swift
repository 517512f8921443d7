import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MessageFormatterFunctionTests {
    private let build = RecordedBuild(number: 3, builder: "linux", results: .warnings)

    private func report(_ formatter: MessageFormatterFunction) async throws -> Report {
        try await ReportRun.report(with: formatter, of: build.finished, in: build)
    }

    @Test func `a function makes the value that is sent`() async throws {
        let formatter = MessageFormatterFunction(.json) { topic in
            ["who": .optional(topic.builderName), "how": .string(Results.text(topic.results))]
        }
        #expect(try await report(formatter).body == .json(["who": "linux", "how": "warnings"]))
    }

    @Test func `a function makes a text, plain or HTML`() async throws {
        #expect(
            try await report(MessageFormatterFunction(.plain) { _ in "a" }).body == .plain("a"))
        #expect(try await report(MessageFormatterFunction(.html) { _ in "b" }).body == .html("b"))
        await #expect(throws: RenderError.self) {
            try await report(MessageFormatterFunction(.plain) { _ in ["a": 1] })
        }
    }

    @Test func `a function gets what it wants, and the names of templates`() async throws {
        let build = RecordedBuild(
            properties: ["a": 1], steps: [["name": "test", "logs": [["name": "stdio"]]]])
        let formatter = MessageFormatterFunction(
            .json, wanted: BuildDetails(properties: false, logs: true)
        ) { topic in
            [
                topic.build?["properties"] ?? .null,
                topic.build?["steps"]?[0]?["logs"]?[0]?["name"] ?? .null,
                topic.variables["properties"] ?? .null, topic.properties["a"] ?? .null,
            ]
        }
        let report = try await ReportRun.report(with: formatter, of: build.finished, in: build)
        #expect(report.body == .json([[:], "stdio", ["a": 1], 1]))
    }

    @Test func `what a function throws is the reason why there is no report`() async throws {
        let formatter = MessageFormatterFunction(.json) { _ in throw RenderError("no words") }
        let error = await #expect(throws: RenderError.self) { try await report(formatter) }
        #expect(error?.message == "no words")
    }

    @Test func `without a function there is no message`() async throws {
        let error = await #expect(throws: (any Error).self) {
            try await report(MessageFormatterFunction())
        }
        #expect("\(try #require(error))".hasPrefix("formatters.MessageFormatterFunction has no"))
    }
}
