import MasterKit
import Testing

@testable import MasterRuntime

/// Links that are attached to steps.
struct StepLinkTests {
    @Test func `links are in the record of their step, without secrets`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            steps:
              - steps.Play:
                  script: $link
                  urls: {Report: !Interpolate "http://h/%(prop:made)s/%(secret:token)s"}
            """
        let scripts: [String: Scripts.Script] = [
            "link": { context in
                await context.addURL("Log", "http://h/1")
                await context.addURL("Page", "http://h/s3cr3t-value")
                await context.addURL("Log", "http://h/2")
                try await context.setProperty("made", to: "x")
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts, plugins: [Vault.self]) { bench in
            let build = try await bench.buildOne()
            #expect(
                build.steps[0].json["urls"] == [
                    ["name": "Log", "url": "http://h/2"],
                    ["name": "Page", "url": "http://h/<token>"],
                    ["name": "Report", "url": "http://h/x/<token>"],
                ])
        }
    }

    @Test(arguments: [("success", "exception"), ("failure", "failure"), ("skipped", "skipped")])
    func `a link that can't be computed spoils only what went well`(
        _ given: String, _ results: String
    ) async throws {
        let yaml = """
            steps: [steps.Give: {result: \(given), urls: {Report: !Property missing}}]
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map { Results.text($0.results) } == [results])
            #expect(build.steps[0].urls.isEmpty)
        }
    }

    @Test func `a step has a limited number of links`() async throws {
        let scripts: [String: Scripts.Script] = [
            "link": { context in
                for number in 1...200 { await context.addURL("\(number)", "http://h/") }
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $link]", scripts: scripts) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps[0].urls.count == 100)
        }
    }
}
