import MasterKit
import MasterRuntime
import Testing

/// How the results of steps become the result of a build.
struct BuildResultsTests {
    /// A step, its settings other than the result, and the result of the build.
    struct Case: CustomTestStringConvertible, Sendable {
        let step: Results
        let settings: String
        let build: Results
        let goesOn: Bool

        init(_ step: Results, _ settings: String, _ build: Results, goesOn: Bool) {
            self.step = step
            self.settings = settings
            self.build = build
            self.goesOn = goesOn
        }

        var testDescription: String { "\(step) {\(settings)}" }
    }

    @Test(arguments: [
        Case(.success, "", .success, goesOn: true),
        Case(.success, "haltOnFailure: true, flunkOnWarnings: true", .success, goesOn: true),
        Case(.skipped, "haltOnFailure: true", .success, goesOn: true),
        Case(.failure, "", .failure, goesOn: true),
        Case(.failure, "haltOnFailure: true", .failure, goesOn: false),
        Case(.failure, "flunkOnFailure: false", .success, goesOn: true),
        Case(
            .failure, "flunkOnFailure: false, haltOnFailure: true", .success, goesOn: false),
        Case(
            .failure, "flunkOnFailure: false, warnOnFailure: true", .warnings, goesOn: true),
        Case(.failure, "warnOnFailure: true", .failure, goesOn: true),
        Case(.failure, "flunkOnWarnings: true, flunkOnFailure: false", .success, goesOn: true),
        Case(.warnings, "", .success, goesOn: true),
        Case(.warnings, "warnOnWarnings: true", .warnings, goesOn: true),
        Case(.warnings, "flunkOnWarnings: true", .failure, goesOn: true),
        Case(
            .warnings, "flunkOnWarnings: true, warnOnWarnings: true, haltOnFailure: true",
            .failure, goesOn: true),
        Case(.exception, "", .exception, goesOn: false),
        Case(.exception, "flunkOnFailure: false", .exception, goesOn: false),
        Case(.cancelled, "", .cancelled, goesOn: false),
        Case(.retry, "", .retry, goesOn: false),
    ])
    func `a result contributes what its settings say`(_ known: Case) async throws {
        let settings = known.settings.isEmpty ? "" : ", \(known.settings)"
        let yaml = """
            steps:
              - steps.Give: {result: \(known.step), name: one\(settings)}
              - steps.Give: {result: success, name: two}
              - steps.Give: {result: success, name: three, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try #require(try await bench.build().last)
            #expect(build.build.results == known.build)
            let names = known.goesOn ? ["one", "two", "three"] : ["one", "three"]
            #expect(build.steps.map(\.name) == names)
            #expect(build.steps[0].results == known.step)
        }
    }

    @Test func `the worst result counts, also that of a step that always runs`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: failure, haltOnFailure: true}
              - steps.Give: success
              - steps.Give: {result: exception, alwaysRun: true}
              - steps.Give: {result: success, alwaysRun: true}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .exception)
            #expect(build.steps.map(\.results) == [.failure, .exception, .success])
        }
    }

    @Test func `no steps, or skipped ones alone, are a success`() async throws {
        let yaml = """
            builders:
              - {name: none, steps: []}
              - {name: skipped, steps: [steps.Give: skipped]}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build()
            #expect(builds.map(\.build.results) == [.success, .success])
            #expect(builds.allSatisfy { $0.build.stateString == "build successful" })
        }
    }

    @Test func `the policies of a step may be computed`() async throws {
        let yaml = """
            steps:
              - steps.SetProperty: {property: mild, value: true}
              - steps.Give: {result: failure, flunkOnFailure: !Not [!Property mild]}
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.build.results == .success)
        }
    }
}
