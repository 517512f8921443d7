import FoundationEssentials
import MasterKit
import OrderedCollections
import Testing

@testable import MasterCommand

struct BuildTreeTests {
    private let events = SampleEvents()
    private let tree = BuildTree(
        TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))

    private func builds(_ events: [Event]) -> RunningBuilds {
        var builds = RunningBuilds()
        for event in events { _ = builds.apply(event) }
        return builds
    }

    @Test func `a running build shows its steps and how long they take`() throws {
        let builds = builds(Array(events.failure.prefix(7)))
        let build = try #require(builds.running.values.first)
        #expect(
            tree.lines(build, width: 40, now: events.moment(4)) == [
                "● linux #3  starting               4.0 s",
                "  ✓ compile  compiled              2.5 s",
                "  ● test     testing               1.5 s",
            ])
    }

    @Test func `every line has the width of the terminal`() throws {
        let long = String(repeating: "wide 日本 ", count: 20)
        let builds = builds([
            events.build(.buildNew, at: 0, long),
            events.step(1, long, .stepStarted, at: 0, long),
        ])
        let build = try #require(builds.running.values.first)
        for width in [20, 33, 80, 200] {
            for line in tree.lines(build, width: width, now: events.moment(1)) {
                #expect(line.columns == width)
            }
        }
    }

    @Test func `where there is no UTF-8 the marks are ASCII`() throws {
        let tree = BuildTree(TerminalTraits(isTerminal: false, environment: [:]))
        let builds = builds(Array(events.failure.prefix(7)))
        let build = try #require(builds.running.values.first)
        let text = tree.lines(build, width: 30, now: events.moment(4)).joined()
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test func `in few rows finished steps are left out first, then the rest is counted`() {
        var all: [Event] = []
        for id in 1...3 { all += SampleEvents(builder: "b\(id)", buildID: id).failure.prefix(7) }
        let running = builds(all).running.values
        func count(rows: Int) -> [String] {
            tree.lines(running, width: 40, rows: rows, now: events.moment(4))
        }
        #expect(count(rows: 9).count == 9)
        #expect(count(rows: 8).count == 6)
        #expect(!count(rows: 8).contains { $0.contains("compile") })
        #expect(count(rows: 4).count == 4)
        #expect(count(rows: 4).last == "… 3 more lines")
        #expect(count(rows: 1) == ["… 6 more lines"])
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
