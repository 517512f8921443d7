import MasterKit
import MasterRuntime
import Testing

/// Misbehaving steps.
struct StepFaultTests {
    struct Unexpected: Error, CustomStringConvertible {
        let description = "the moon is full"
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
                    "exception: exception finished (exception)", "Play: finished (exception)",
                    "Give: finished",
                ])
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
