import FoundationEssentials
import MasterKit
import OrderedCollections
import Testing

@testable import MasterCommand
@testable import MasterRuntime

struct BuildTreeTests {
    private let events = SampleEvents()
    private let tree = BuildTree(
        TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))

    private func content(_ events: [Event]) -> BuildTree.Content {
        var builds = RunningBuilds()
        for event in events { _ = builds.apply(event) }
        return BuildTree.Content(
            finished: builds.finished, succeededCount: builds.succeededCount,
            running: Array(builds.running.values))
    }

    private func lines(
        _ content: BuildTree.Content, width: Int = 80, rows: Int = 24, at second: Double = 4
    ) -> [String] {
        tree.lines(content, width: width, rows: rows, now: events.moment(second))
    }

    @Test func `a running build shows its running step with the end of its output`() {
        var content = content(Array(events.failure.prefix(7)))
        content.output[12] = ["one", "two", "three"]
        content.usual["linux"] = UsualTimes(build: .seconds(40), steps: ["test": .seconds(1)])
        #expect(
            lines(content) == [
                "● linux #3  4.0 s of about 40 s  1 step done",
                "  ● test  1.5 s, usually 1.0 s  testing",
                "    | one", "    | two", "    | three",
            ])
        #expect(lines(content, width: 40).first == "● linux #3  4.0 s  1 step done")
    }

    @Test func `builds that wait are a line each, with what they wait for`() {
        var content = content(Array(events.failure.prefix(3)))
        content.output[11] = ["one", "two"]
        content.activity.waiting = [
            .init(builder: "docs", reason: "'linux'"),
            .init(builder: "deploy", reason: "lock 'db'"),
        ]
        content.activity.waitingCount = 2
        let running = ["● linux #3  4.0 s", "  ● compile  4.0 s  compiling"]
        #expect(
            lines(content) == running + [
                "    | one", "    | two", "○ docs  waits for 'linux'",
                "○ deploy  waits for lock 'db'",
            ])
        #expect(
            lines(content, width: 20).suffix(2) == ["○ docs  waits for '…", "○ deploy  waits for…"])
        #expect(lines(content, width: 9).last == "○ deploy")
        content.activity.waitingCount = 14
        #expect(lines(content).last == "○ 12 more  wait")
        #expect(
            lines(content, rows: 5) == running + ["    | one", "    | two", "○ 14 builds  wait"])
        #expect(lines(content, rows: 3) == running + ["○ 14 builds  wait"])
        content.activity.waiting = (1...9).map { .init(builder: "b\($0)", reason: "a free slot") }
        #expect(lines(content).last == "○ 9 more  wait")
    }

    @Test func `a finished build is a line, with what went wrong`() {
        let good = SampleEvents(builder: "docs", buildID: 8)
        let all =
            events.failure + [
                good.build(.buildNew, at: 0),
                good.build(.buildFinished, at: 2, results: .success, "build successful"),
            ]
        #expect(
            lines(content(all)) == ["✗ linux #3  3.0 s  test: tests", "✓ docs #3   2.0 s"])
    }

    @Test func `no line is wider than the terminal, and times stay visible`() throws {
        let long = String(repeating: "wide 日本 👩‍💻 ", count: 20)
        let wide = SampleEvents(builder: long)
        var content = content([
            wide.build(.buildNew, at: 0, long), wide.step(1, long, .stepStarted, at: 0, long),
        ])
        content.output[11] = [long]
        for width in [10, 20, 33, 40, 80, 200] {
            let lines = lines(content, width: width, at: 1)
            #expect(lines.allSatisfy { $0.columns <= width })
            #expect(width < 20 || lines.prefix(2).allSatisfy { $0.contains("1.0 s") })
        }
    }

    @Test func `where there is no UTF-8 the marks are ASCII`() {
        let tree = BuildTree(TerminalTraits(isTerminal: false, environment: [:]))
        let text = tree.lines(
            content(Array(events.failure.prefix(7))), width: 30, rows: 24, now: events.moment(4)
        ).joined()
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test func `never more rows than there are`() {
        var all: [Event] = []
        for id in 1...3 { all += SampleEvents(builder: "b\(id)", buildID: id).failure.prefix(7) }
        for id in 4...9 {
            let sample = SampleEvents(builder: "b\(id)", buildID: id)
            all.append(sample.build(.buildNew, at: 0))
            all.append(sample.build(.buildFinished, at: 1, results: .success))
        }
        var content = content(all)
        content.output[12] = ["one", "two", "three"]
        #expect(lines(content, rows: 21).count == 21)
        #expect(lines(content, rows: 16).count == 16)
        #expect(lines(content, rows: 16).first == "✓ 6 builds succeeded")
        #expect(lines(content, rows: 15).contains("    | two"))
        #expect(!lines(content, rows: 15).contains("    | one"))
        #expect(lines(content, rows: 7).count == 7)
        #expect(lines(content, rows: 4).last == "… 4 more lines")
        #expect(lines(content, rows: 1) == ["… 7 more lines"])
    }

    @Test func `of a log only the last lines of output are shown`() {
        let end = "uncated\noone\n\no\ttwo\no10 %\r20 %\nhelapsedTime=1\nethree\n"
        #expect(RunDisplay.lastLines(of: Array(end.utf8)) == ["    two", "20 %", "three"])
        #expect(RunDisplay.lastLines(of: []) == [])
    }
}

struct DurationForPeopleTests {
    @Test(arguments: [
        (Duration.milliseconds(-5), "0.00 s"),
        (.zero, "0.00 s"),
        (.milliseconds(40), "0.04 s"),
        (.milliseconds(994), "0.99 s"),
        (.milliseconds(999), "1.0 s"),
        (.milliseconds(3140), "3.1 s"),
        (.milliseconds(9960), "10 s"),
        (.milliseconds(59_600), "1 m 00 s"),
        (.seconds(302), "5 m 02 s"),
        (.milliseconds(3_599_600), "1 h 00 m"),
        (.seconds(90_000), "25 h 00 m"),
    ])
    func `a duration is as precise as is worth reading`(duration: Duration, text: String) {
        #expect(duration.forPeople == text)
    }
}
