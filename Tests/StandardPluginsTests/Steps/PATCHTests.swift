import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct PATCHTests {
    @Test func `it sends PATCH with a body`() async throws {
        let run = try await StepRun.of(PATCH.self, "{url: SERVER/x, json: {a: 1}}")

        #expect(run.results == .success)
        #expect(try run.request.method == "PATCH")
        #expect(try run.request.target == "/x")
        #expect(try run.request.text == #"{"a": 1}"#)
    }

    @Test func `without a body it says so only where one is expected`() async throws {
        let run = try await StepRun.of(PATCH.self, "SERVER/x")

        #expect(try run.request.header("Content-Length") == "0")
        #expect(try run.request.header("Content-Type") == nil)
    }
}
