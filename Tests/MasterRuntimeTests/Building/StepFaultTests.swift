import MasterKit
import Testing

@testable import MasterRuntime

/// Misbehaving steps.
struct StepFaultTests {
    struct Unexpected: Error, CustomStringConvertible {
        let description = "the moon is full"
    }

    @Test func `a step that goes on after its end changes nothing any more`() async throws {
        let contexts = Journal<StepContext>()
        let scripts: [String: Scripts.Script] = [
            "leak": { context in
                contexts.add(context)
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $leak]", scripts: scripts) { bench in
            try await bench.run { master in
                let builds = try await master.build()
                let context = try #require(contexts.entries.first)
                await #expect {
                    try await context.openLog("late")
                } throws: { error in
                    "\(error)" == "the log 'late' cannot be opened: the step has ended"
                }
                await context.setSummary("late")
                try await context.setProperty("late", to: true)
                let more = try await master.build()
                #expect(more.map(\.build.results) == [.success])
                let step = try #require(builds.first?.steps.first)
                let record = try await master.environment.store.read {
                    try StepRecord.find(step.id, in: $0)
                }
                #expect(record == step)
            }
        }
    }

    @Test func `a step that throws is an exception with the error in a log`() async throws {
        let yaml = """
            builders:
              - name: bad
                steps:
                  - steps.Play: $throw
                  - steps.Give: success
                  - steps.Give: {result: success, alwaysRun: true}
              - {name: good, steps: [steps.Give: success]}
            """
        let scripts: [String: Scripts.Script] = ["throw": { _ in throw Unexpected() }]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(slots: 1)
            #expect(builds.map(\.build.results) == [.exception, .success])
            #expect(
                builds[0].outline == [
                    "exception: exception: the moon is full",
                    "Play: exception: the moon is full",
                    "Give_1: finished",
                ])
            #expect(builds[0].notReached == ["Give"])
            #expect(try bench.log("err_text", of: builds[0]) == "othe moon is full\n")
        }
    }

    @Test(arguments: [
        "name: !Property nothing", "name: !Interpolate '%(prop:nothing)s'",
        "haltOnFailure: !Property buildername", "workdir: !Property nothing",
        "description: !Property nothing, descriptionDone: fine",
        "descriptionDone: !Property nothing", "descriptionSuffix: !Property nothing",
        "maxTime: !Property buildername",
    ])
    func `a setting that can't be rendered is an exception with its reason`(
        _ setting: String
    ) async throws {
        let yaml = "steps: [steps.Give: {result: success, \(setting)}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let name = setting.prefix { $0 != ":" }
            #expect(build.build.results == .exception)
            #expect(build.steps.map(\.results) == [.exception])
            #expect(try bench.log("err_text", of: build).contains("'\(name)'"))
        }
    }

    @Test(arguments: ["workdir: !Property nothing", "env: {A: !FlattenList [[1], [[2]], {a: 1}]}"])
    func `a setting of the builder that can't be rendered is an exception of its steps`(
        _ setting: String
    ) async throws {
        let yaml = "builders: [{name: b, steps: [steps.Give: success], \(setting)}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .exception)
            let name = setting.prefix { $0 != ":" }
            #expect(try bench.log("err_text", of: build).contains("'\(name)' of builder 'b'"))
        }
    }
}
