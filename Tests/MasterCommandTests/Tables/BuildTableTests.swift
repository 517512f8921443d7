import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand

struct BuildTableTests {
    private func view(named builder: String = "linux") -> BuildView {
        let events = SampleEvents()
        func step(_ number: Int, _ name: String, _ results: Results?, _ text: String) -> StepView {
            StepView(
                id: number, number: number, name: name,
                startedAt: results == .skipped ? nil : events.moment(0),
                completeAt: results == .skipped ? nil : events.moment(1.5), results: results,
                stateString: text)
        }
        var hidden = step(4, "hidden", .success, "")
        hidden.isHidden = true
        return BuildView(
            id: 1, request: 1, builder: builder, number: 3, startedAt: events.moment(0),
            completeAt: events.moment(65), results: .failure, stateString: "failed tests",
            steps: [
                step(1, "compile", .success, "success"), step(2, "run tests", .failure, "tests"),
                step(3, "deploy", .skipped, "skipped"), hidden,
            ])
    }

    private let table = BuildTable(
        TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))

    private func finished(_ results: Results, _ name: String = "other") -> FinishedView {
        var build = view()
        build = BuildView(
            id: 2, request: 2, builder: name, number: 4, startedAt: build.startedAt,
            completeAt: build.completeAt, results: results, stateString: "build successful",
            steps: build.steps.filter { $0.results == .success })
        return FinishedView(build: build)
    }

    private var failed: FinishedView {
        var failed = FinishedView(build: view(), notReached: ["package", "sign"])
        let text = "o10 %\r100 %\nomain.c:3: error: no\u{0}\nhprogram finished with exit code 2\n"
        failed.logs[2] = [
            FailureLog(path: "2-run.log", tail: LogTail(end: Array(text.utf8), isWhole: true))
        ]
        return failed
    }

    @Test func `failures come first, with the lines that matter, and successes are a line each`() {
        #expect(
            table.lines([finished(.success), failed, finished(.warnings)], width: 80) == [
                "✗ linux #3     failure   1 m 05 s",
                "  ✗ run tests  failure   1.5 s     tests",
                "    | 100 %",
                "    | main.c:3: error: no",
                "    | program finished with exit code 2",
                "    2-run.log",
                "  ○ not reached: package, sign",
                "✓ other #4     success   1 m 05 s  1 step",
                "! other #4     warnings  1 m 05 s  1 step",
            ])
    }

    @Test func `a name takes the columns that its row leaves free`() {
        let name = "linux-gcc-13-debug"
        let lines = table.lines([FinishedView(build: view(named: name))], width: 44)
        #expect(lines[0].contains("\(name) #3"), "\(lines)")
        #expect(lines.allSatisfy { $0.columns <= 44 })
    }

    @Test func `in a narrow terminal names are cut before results`() {
        let long = FinishedView(build: view(named: String(repeating: "long", count: 10)))
        for line in table.lines([long], width: 40) {
            #expect(line.columns <= 40)
            #expect(line.contains("failure"))
        }
        #expect(table.lines([long], width: 10).allSatisfy { $0.columns <= 10 })
    }
}
