import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct DELETETests {
    @Test func `it sends DELETE with a body`() async throws {
        let run = try await StepRun.of(DELETE.self, "{url: SERVER/x, json: {a: 1}}")

        #expect(run.results == .success)
        #expect(try run.request.method == "DELETE")
        #expect(try run.request.target == "/x")
        #expect(try run.request.text == #"{"a": 1}"#)
    }

    @Test func `without a body it says so only where one is expected`() async throws {
        let run = try await StepRun.of(DELETE.self, "SERVER/x")

        #expect(try run.request.header("Content-Length") == nil)
        #expect(try run.request.header("Content-Type") == nil)
    }
}
