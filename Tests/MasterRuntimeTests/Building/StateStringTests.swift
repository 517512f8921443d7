import MasterKit
import MasterRuntime
import Testing

/// The state strings of builds and steps.
struct StateStringTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let step: String
        let stepText: String
        let buildText: String

        init(_ step: String, _ stepText: String, build buildText: String) {
            self.step = step
            self.stepText = stepText
            self.buildText = buildText
        }

        var testDescription: String { step }
    }

    @Test(arguments: [
        Case("result: success", "finished", build: "build successful"),
        Case("result: success, says: all fine", "all fine", build: "build successful"),
        Case(
            "result: failure", "finished (failure)", build: "failed finished (failure)"),
        Case(
            "result: failure, says: 3 tests failed", "3 tests failed (failure)",
            build: "failed 3 tests failed (failure)"),
        Case(
            "result: failure, description: testing", "testing (failure)",
            build: "failed testing (failure)"),
        Case(
            "result: failure, description: testing, descriptionDone: tests, says: 3 failed",
            "tests (failure)", build: "failed tests (failure)"),
        Case(
            "result: success, description: [run, all], descriptionSuffix: [on, linux]",
            "run all on linux", build: "build successful"),
        Case(
            "result: failure, says: bad, descriptionSuffix: end", "bad end (failure)",
            build: "failed bad end (failure)"),
        Case(
            "result: success, says: counted, descriptionDone: tests", "tests",
            build: "build successful"),
        Case("result: skipped", "finished (skipped)", build: "build successful"),
        Case(
            "result: warnings, warnOnWarnings: true", "finished (warnings)",
            build: "warnings finished (warnings)"),
        Case("result: warnings", "finished (warnings)", build: "build successful"),
        Case(
            "result: exception", "exception", build: "exception"),
        Case(
            "result: exception, says: no disk", "exception: no disk",
            build: "exception: no disk"),
        Case(
            "result: exception, descriptionDone: tests", "tests (exception)",
            build: "exception tests (exception)"),
        Case(
            "result: failure, flunkOnFailure: false, haltOnFailure: true", "finished (failure)",
            build: "build successful finished (failure)"),
        Case(
            "result: failure, flunkOnFailure: false", "finished (failure)",
            build: "build successful"),
        Case(
            "result: failure, updateBuildSummaryPolicy: false", "finished (failure)",
            build: "failed"),
        Case(
            "result: success, updateBuildSummaryPolicy: true, says: built 1.2", "built 1.2",
            build: "build successful built 1.2"),
        Case(
            "result: failure, updateBuildSummaryPolicy: [exception]", "finished (failure)",
            build: "failed"),
        Case(
            "result: success, descriptionDone: !Interpolate 'on %(prop:buildername)s'",
            "on default", build: "build successful"),
    ])
    func `a step and its build say how it went`(_ known: Case) async throws {
        try await MasterBench.with("steps: [steps.Give: {\(known.step)}]") { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == [known.stepText])
            #expect(build.build.stateString == known.buildText)
        }
    }

    @Test func `a running step shows its description, and then what it says`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: success, says: counting}
              - steps.Give: {result: success, description: waiting, descriptionSuffix: now}
              - steps.Give: {result: success, says: counting, description: testing}
              - steps.Give: {result: success, says: counting, descriptionDone: tested}
              - steps.Give: {result: success, says: counting, descriptionSuffix: up}
            """
        try await MasterBench.with(yaml) { bench in
            let events = try await bench.events(of: [.stepNew, .stepStarted, .stepUpdated])
            let texts = events.compactMap { $0.record["state_string"]?.stringValue }
            #expect(
                texts == [
                    "pending", "running", "counting",
                    "pending", "waiting now",
                    "pending", "testing",
                    "pending", "running", "counting",
                    "pending", "running up", "counting up",
                ])
        }
    }

    @Test func `a property that is not set is named`() async throws {
        let yaml = "steps: [steps.ShellCommand: [echo, !Property nightly]]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["exception: nightly is not set"])
            #expect(build.build.stateString == "exception: nightly is not set")
            #expect(try bench.log("err_text", of: build).contains("-p nightly=VALUE"))
        }
    }

    @Test func `however long a text is, one line of it is shown`() async throws {
        let long = "word\\n" + String(repeating: "x", count: 900_000)
        let yaml = "steps: [steps.Give: {result: failure, says: \"\(long)\"}]"
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            let text = try #require(build.steps.first).stateString
            #expect(text.count < 220)
            #expect(text.hasPrefix("word xxx"))
            #expect(text.hasSuffix("x… (failure)"))
            #expect(build.build.stateString.count < 220)
        }
    }

    @Test func `of the texts of many steps the first are shown`() async throws {
        let step = "  - steps.Give: {result: failure, says: \(String(repeating: "a", count: 60))}\n"
        let yaml = "steps:\n" + String(repeating: step, count: 9)
        try await MasterBench.with(yaml) { bench in
            let text = try await bench.buildOne().build.stateString
            #expect(text.count < 220)
            #expect(text.hasSuffix("a (failure) and 7 more"))
        }
    }

    @Test func `the texts of several steps stand one after the other`() async throws {
        let yaml = """
            steps:
              - steps.Give: {result: failure, says: a}
              - steps.Give: {result: failure, says: b}
            """
        try await MasterBench.with(yaml) { bench in
            let text = try await bench.buildOne().build.stateString
            #expect(text == "failed a (failure) b (failure)")
        }
    }
}
