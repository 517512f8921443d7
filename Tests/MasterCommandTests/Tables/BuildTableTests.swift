import FoundationEssentials
import MasterKit
import Testing

@testable import MasterCommand

struct BuildTableTests {
    private func view() -> BuildView {
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
            id: 1, builder: "linux", number: 3, startedAt: events.moment(0),
            completeAt: events.moment(65), results: .failure, stateString: "failed tests",
            steps: [
                step(1, "compile", .success, "success"), step(2, "run tests", .failure, "tests"),
                step(3, "deploy", .skipped, "skipped"), hidden,
            ])
    }

    private let table = BuildTable(
        TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))

    @Test func `builds and steps stand in aligned columns`() {
        #expect(
            table.lines([view()], width: 80) == [
                "✗ linux #3     failure  1 m 05 s  failed tests",
                "  ✓ compile    success  1.5 s",
                "  ✗ run tests  failure  1.5 s     tests",
                "  - deploy     skipped",
            ])
    }

    @Test func `a row that is too wide is cut`() {
        #expect(
            table.lines([view()], width: 40).first == "✗ linux #3     failure  1 m 05 s  faile…")
        #expect(table.lines([view()], width: 10).allSatisfy { $0.columns <= 10 })
    }
}
