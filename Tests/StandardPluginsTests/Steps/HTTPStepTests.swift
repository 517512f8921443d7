import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct HTTPStepTests {
    @Test func `the method is POST by default`() async throws {
        let run = try await StepRun.of(HTTPStep.self, "SERVER/")
        #expect(try run.request.method == "POST")
    }

    @Test(arguments: ["POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
    func `it sends every method`(_ method: String) async throws {
        let run = try await StepRun.of(HTTPStep.self, "{url: SERVER/, method: \(method)}")
        #expect(try run.request.method == method)
    }

    @Test func `the method may be rendered, and is checked then`() async throws {
        let settings = "{url: SERVER/, method: !Property how}"
        let run = try await StepRun.of(HTTPStep.self, settings, properties: ["how": "PUT"])
        #expect(try run.request.method == "PUT")

        let error = await #expect(throws: RenderError.self) {
            try await StepRun.of(HTTPStep.self, settings, properties: ["how": "put"])
        }
        #expect(
            error?.message == "'method' of steps.HTTPStep can't be 'put'; did you mean 'PUT'?")
    }
}
