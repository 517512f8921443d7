import MasterKit
import MasterRuntime
import Testing

/// Which steps run, and which are shown.
struct StepConditionTests {
    @Test func `a step runs only if its condition holds`() async throws {
        let yaml = """
            steps:
              - steps.Give: {name: never, result: failure, doStepIf: false}
              - steps.SetProperty: {name: set, property: branch, value: main}
              - steps.Give:
                  {name: main, result: success, doStepIf: !Equal [!Property branch, main]}
              - steps.Give:
                  {name: other, result: failure, doStepIf: !Not [!Equal [!Property branch, main]]}
              - steps.Give: {name: bad, result: failure}
              - steps.Give: {name: after, result: success, doStepIf: !Results failure}
              - steps.Give: {name: fine, result: success, doStepIf: !Results success}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(
                build.steps.map { "\($0.name) \(Results.text($0.results))" } == [
                    "never skipped", "set success", "main success", "other skipped",
                    "bad failure", "after success", "fine skipped",
                ])
        }
    }

    @Test func `a step is hidden by its own result`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: success, hideStepIf: !Results success}
              - steps.Give: {result: warnings, hideStepIf: !Results success}
              - steps.Give: {result: skipped, hideStepIf: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.isHidden) == [true, false, true])
        }
    }

    @Test(arguments: ["doStepIf", "hideStepIf"])
    func `a condition that is none makes an exception, with its reason`(
        _ setting: String
    ) async throws {
        let yaml = "steps: [steps.Give: {result: success, \(setting): !Property buildername}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.results) == [.exception])
            #expect(build.steps.map(\.isHidden) == [false])
            let log = try bench.log("err_text", of: build)
            #expect(log.contains("'\(setting)' of steps.Give must be true or false"))
        }
    }
}
