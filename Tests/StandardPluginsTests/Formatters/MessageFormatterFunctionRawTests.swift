import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MessageFormatterFunctionRawTests {
    @Test func `a function makes body, subject and extra information`() async throws {
        let formatter = MessageFormatterFunctionRaw { topic in
            Message(
                .html("<b>\(topic.builds.count)</b>"), subject: "one\ntwo",
                extraInfo: ["chat": ["room": 7]])
        }
        let report = try await ReportRun.report(with: formatter, of: RecordedBuild().finished)
        #expect(report.body == .html("<b>1</b>"))
        #expect(report.subject == "one two")
        #expect(report.extraInfo == ["chat": ["room": 7]])
    }

    @Test func `without a function there is no message`() async throws {
        let error = await #expect(throws: (any Error).self) {
            try await ReportRun.report(
                with: MessageFormatterFunctionRaw(), of: RecordedBuild().finished)
        }
        #expect(
            "\(try #require(error))".hasPrefix("formatters.MessageFormatterFunctionRaw has no"))
    }
}
