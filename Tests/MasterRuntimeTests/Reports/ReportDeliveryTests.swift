import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Reports of steps, requests and buildsets, from the store to the receiver.
@Suite(.timeLimit(.minutes(1)))
struct ReportDeliveryTests {
    @Test func `a report a step arrives in order, with the build as it was then`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/steps
                  generators:
                    - generators.StepStatusGenerator: {events: [started, finished]}
            steps:
              - steps.SetProperty: {property: p, value: 1, name: first}
              - steps.Give: {result: failure, name: second}
            """)
        let steps = try #require(run.bodies["steps"])
        #expect(steps.map { $0["name"] } == ["first", "first", "second", "second"])
        #expect(steps.map { $0["results"] } == [.null, 0, .null, 2])
        #expect(steps.map { $0["complete"] } == [false, true, false, true])
        #expect(steps.allSatisfy { $0["build"]?["builder"]?["name"] == "default" })
        #expect(steps.allSatisfy { $0["build"]?["complete"] == false })
        #expect(steps[0]["build"]?["properties"]?["p"] == nil)
        #expect(steps[2]["build"]?["properties"]?["p"] == [1, "first"])
        #expect(run.deliveries.map(\.state) == [.delivered, .delivered, .delivered, .delivered])
    }

    @Test func `change compares a step with that of the build before`() async throws {
        try await withLoopbackServer { server in
            let yaml = """
                services:
                  - reporters.HttpStatusPush:
                      serverUrl: \(server.url)/
                      generators: [generators.StepStatusGenerator: change]
                steps:
                  - steps.Give: {result: success, name: steady}
                  - steps.Give: {result: RESULT, name: shaky}
                """
            try await MasterBench.with("") { bench in
                for result in ["success", "success", "failure", "failure", "success"] {
                    try bench.write(yaml.replacing("RESULT", with: result))
                    try await bench.run { master in
                        _ = try await master.build()
                        _ = try await master.drain(for: .seconds(10))
                    }
                }
            }
            let bodies = try server.requests.map { try JSONValue(parsing: $0.body) }
            #expect(bodies.map { $0["name"] } == ["shaky", "shaky"])
            #expect(bodies.map { $0["build"]?["number"] } == [3, 5])
        }
    }

    @Test func `a request is reported when it is new and when it is cancelled`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/requests
                  generators: [generators.BuildRequestGenerator]
            builders:
              - {name: one, steps: [steps.Play: $wait]}
              - {name: two, tags: [b], steps: [steps.Give: success]}
            """, properties: ["owner": "ann"],
            scripts: [
                "wait": { _ in
                    try await neverEnd()
                    return .success
                }
            ], stoppingWhen: { $0.kind == .buildNew })
        let requests = try #require(run.bodies["requests"])
        let one = requests.filter { $0["builder"]?["name"] == "one" }
        let two = requests.filter { $0["builder"]?["name"] == "two" }
        #expect(one.map { $0["complete"] } == [false])
        #expect(two.map { $0["complete"] } == [false, true])
        #expect(two.map { $0["results"] } == [.null, 6])
        #expect(requests.allSatisfy { $0["properties"]?["owner"] == ["ann", "command line"] })
        #expect(requests.allSatisfy { $0["buildset"]?["reason"] == "test" })
    }

    @Test func `a buildset is reported when its last build has ended, each way`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  name: each
                  serverUrl: SERVER/each
                  generators:
                    - generators.BuildSetStatusGenerator:
                        mode: [failing, warnings]
                        message_formatter:
                          formatters.MessageFormatter:
                            template: '["{{ buildername }} {{ build.steps.0.name }}"]'
                            template_type: json
              - reporters.HttpStatusPush:
                  name: whole
                  serverUrl: SERVER/whole
                  generators: [generators.BuildSetCombinedStatusGenerator]
            builders:
              - {name: one, steps: [steps.Give: {result: failure, name: a}]}
              - {name: two, steps: [steps.Give: {result: success, name: b}]}
              - {name: three, steps: [steps.Give: {result: failure, name: c}]}
            """, properties: ["release": "1"])
        #expect(run.bodies["each"] == [["one a", "three c"]])
        let whole = try #require(run.bodies["whole"]?.first)
        #expect(run.bodies["whole"]?.count == 1)
        #expect(whole["results"] == 2)
        #expect(whole["complete"] == true)
        let builds = try #require(whole["builds"]?.arrayValue)
        #expect(builds.map { $0["builder"]?["name"] } == ["one", "two", "three"])
        #expect(builds.map { $0["results"] } == [2, 0, 2])
        #expect(builds.allSatisfy { $0["complete"] == true })
        #expect(builds.allSatisfy { $0["url"] != nil && $0["buildrequest"] != nil })
    }

    @Test func `of a build that was tried again the buildset has the last try`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/whole
                  generators: [generators.BuildSetCombinedStatusGenerator]
            steps: [steps.Play: $lose]
            """,
            scripts: ["lose": { _ in throw WorkerLost(worker: "local", reason: "gone") }])
        let builds = run.bodies["whole"]?.first?["builds"]?.arrayValue ?? []
        #expect(builds.map { $0["number"] } == [3])
    }

    @Test func `filters work when properties are not sent`() async throws {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/main
                  want_properties: false
                  generators:
                    - generators.BuildStatusGenerator: {branches: [main], schedulers: [force]}
              - reporters.HttpStatusPush:
                  name: other
                  serverUrl: SERVER/other
                  generators:
                    - generators.BuildStatusGenerator: {branches: [next]}
            steps: [steps.Give: success]
            """, properties: ["branch": "main", "scheduler": "force"])
        #expect(run.bodies["main"]?.map { $0["properties"] } == [[:]])
        #expect(run.bodies["other"] == nil)
        #expect(run.deliveries.count == 1)
    }

    @Test func `a report that can't be made is dead with its reason, and the next one is made`()
        async throws
    {
        let run = try await ReportBench.run(
            """
            services:
              - reporters.HttpStatusPush:
                  serverUrl: SERVER/push
                  generators:
                    - generators.BuildStartEndStatusGenerator:
                        start_formatter:
                          formatters.MessageFormatter:
                            template: '{"text": {{ build.state_string }}'
                            template_type: json
            steps: [steps.Give: success]
            """)
        #expect(run.deliveries.map(\.state) == [.dead, .delivered])
        #expect(
            run.deliveries[0].error?.hasPrefix(
                "the report could not be generated: 'template' did not render to valid JSON: ")
                == true)
        #expect(run.bodies["push"]?.map { $0["complete"] } == [true])
    }
}
