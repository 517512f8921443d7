import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct HEADTests {
    @Test func `it has no body and an empty log of the content`() async throws {
        let run = try await StepRun.of(HEAD.self, "SERVER/a/head")

        #expect(run.results == .success)
        #expect(try run.request.method == "HEAD")
        #expect(try run.request.body.isEmpty)
        #expect(run.log("content") == "")
        #expect(run.log("log")?.hasSuffix("o ------ Content ------\n") == true)
    }

    @Test func `it follows redirects, as all steps do, and stays HEAD`() async throws {
        let run = try await StepRun.of(HEAD.self, "SERVER/") { request in
            request.path == "/" ? .redirect(303, to: "/landed") : .text("landed\n")
        }

        #expect(run.requests.map(\.method) == ["HEAD", "HEAD"])
    }
}
