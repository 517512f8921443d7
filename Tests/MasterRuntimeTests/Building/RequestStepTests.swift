import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// The output of steps that send requests.
struct RequestStepTests {
    @Test(arguments: [
        ("", "Status code: 200"),
        (", doStepIf: false", "Requested (skipped)"),
        (
            ", timeout: !Property buildername",
            "exception: 'timeout' of steps.GET must be a duration such as 30, 30s, 5m or 1h30m, not "
                + "'default'"
        ),
        (", description: asking", "asking"),
        (", descriptionDone: asked", "asked"),
        (", descriptionSuffix: it", "Status code: 200 it"),
        (", description: asking, doStepIf: false", "asking (skipped)"),
    ])
    func `the state says how the request went`(_ settings: String, _ text: String) async throws {
        try await withLoopbackServer(handler: { _ in .text("ok\n") }) { server in
            let yaml = "steps: [steps.GET: {url: '\(server.url)'\(settings)}]"
            try await MasterBench.with(yaml) { bench in
                let build = try await bench.buildOne()
                #expect(build.steps.map(\.stateString) == [text])
            }
        }
    }

    @Test func `an address that is null at run time is a failure`() async throws {
        try await MasterBench.with("steps: [steps.GET: {url: !Property nothing}]") { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["Requested (failure)"])
            #expect(try bench.log("log", of: build).contains("'url' of steps.GET"))
        }
    }

    @Test func `a running request says so`() async throws {
        try await withLoopbackServer(handler: { _ in .text("ok\n") }) { server in
            let yaml = "steps: [steps.GET: '\(server.url)']"
            try await MasterBench.with(yaml) { bench in
                let events = try await bench.events(of: [.stepStarted])
                #expect(events.map { $0.record["state_string"] }.first == "Requesting")
            }
        }
    }
}
