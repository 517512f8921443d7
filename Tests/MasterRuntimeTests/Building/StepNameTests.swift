import MasterKit
import MasterRuntime
import Testing

/// The names of steps in a build.
struct StepNameTests {
    @Test func `a step is named by its file, its plugin, and a number when taken`() async throws {
        let long = String(repeating: "é", count: 60)
        let yaml = """
            steps:
              - steps.Give: success
              - steps.Give: success
              - steps.Give: {result: success, name: Give_1}
              - steps.Give: {result: success, name: !Interpolate "for %(prop:buildername)s"}
              - steps.Give: {result: success, name: !Interpolate "\(long)"}
              - steps.Give: {result: success, name: !Interpolate "\(long)é"}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let cut = long.prefix(48)
            #expect(
                build.steps.map(\.name) == [
                    "Give", "Give_1", "Give_1_1", "for default", "\(cut)éé", "\(cut)_1",
                ])
            #expect(build.steps.map(\.number) == [1, 2, 3, 4, 5, 6])
        }
    }

    @Test func `steps that do not run leave no gap in the numbers`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: failure, haltOnFailure: true}
              - steps.Give: success
              - steps.Give: {result: success, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map { "\($0.number) \($0.name)" } == ["1 Give", "2 Give_2"])
        }
    }
}
