import MasterKit
import MasterTesting
import Testing

@testable import StandardPlugins

/// The code in the documentation other than that of the examples, word for word.
struct DocumentedCodeTests {
    @Test func `a step is configured and run by a harness`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        let step = try POST.configured([
            "url": "\(server.url)/builds",
            "headers": ["X-Token": .secret("token")],
            "data": ["branch": .property("branch", default: "main")],
        ])
        let harness = try StepHarness(
            properties: ["branch": "next"], secrets: ["token": "hunter2!"])
        #expect(try await harness.run(step) == .success)
        #expect(server.requests.map(\.text) == ["branch=next"])
    }

    @Test(arguments: [Results.success, .failure])
    func `a step of one's own triggers builds and waits for them`(_ ended: Results) async throws {
        let harness = try StepHarness(builds: { request in
            #expect(request.builders == ["test"])
            return [TriggeredBuild(builder: "test", number: 1, results: ended)]
        })
        #expect(try await harness.run(Release()) == ended)
    }

    private struct Release: Step {
        static let summary = "Triggers a build."

        func run(in context: StepContext) async throws -> Results {
            let builds = try await context.build(
                BuildsetRequest(
                    builders: ["test"], reason: "release", sourceStamps: context.sourceStamps))
            return builds.allSatisfy { $0.results == .success } ? .success : .failure
        }
    }

    @Test func `settings given in code hold expressions at any depth`() throws {
        let step = try POST.configured([
            "url": "http://127.0.0.1:9980/builds",
            "params": ["branch": .property("branch", default: "main")],
            "headers": ["X-Token": .secret("token")],
            "data": .interpolate("%(prop:buildername)s of %(src::revision)s"),
            "retry": 2,
        ])
        let context = RenderContext(properties: Properties(["branch": "next"], source: "test"))
        #expect(try step.request.params.render(in: context)?.pairs == [HTTPPair("branch", "next")])
        #expect(step.request.url.constant?.text == "http://127.0.0.1:9980/builds")
    }

    @Test(arguments: [("main", true), ("next", false)])
    func `values are computed without a plugin`(_ branch: String, _ expected: Bool) throws {
        let isMain = try Renderable<Bool>(computing: .equal(.property("branch"), "main"))
        let label = try Renderable<String>(
            computing: .interpolate("%(prop:branch:-main)s/%(prop:number)s"))
        let properties: JSONObject = ["branch": .string(branch), "number": 7]
        let context = RenderContext(properties: Properties(properties, source: "test"))
        #expect(try isMain.render(in: context) == expected)
        #expect(try label.render(in: context) == "\(branch)/7")
    }
}
