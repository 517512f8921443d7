import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct MessageFormatterEmptyTests {
    @Test func `there is no body, but what the report is about`() async throws {
        let build = RecordedBuild(number: 3, builder: "linux", results: .failure)
        let report = try await ReportRun.report(
            with: MessageFormatterEmpty.self, "{}", of: build.finished, in: build)
        #expect(report.body == .empty)
        #expect(report.results == .failure)
        #expect(report.buildIDs == [3])
        #expect(report.subject == "failure: linux (Title)")
    }

    @Test func `a status push sends a request without a body`() async throws {
        try await withLoopbackServer { server in
            let reporter = try HttpStatusPush.configured(["serverUrl": .string(server.url)])
            try await ReporterHarness().send(Report(body: .empty), through: reporter)
            #expect(server.requests.map(\.body) == [[]])
            #expect(server.requests.map { $0.header("Content-Length") } == ["0"])
            #expect(server.requests.map { $0.header("Content-Type") } == [nil])
        }
    }
}
