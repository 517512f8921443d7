import FoundationEssentials
import MasterKit
import OrderedCollections
import Testing

@testable import MasterCommand

struct BuildTreeTests {
    private let events = SampleEvents()
    private let tree = BuildTree(
        TerminalTraits(isTerminal: false, environment: ["LANG": "C.UTF-8"]))

    private func board(_ events: [Event]) -> BuildBoard {
        var board = BuildBoard()
        for event in events { _ = board.apply(event) }
        return board
    }

    @Test func `a running build shows its steps and how long they take`() throws {
        let board = board(Array(events.failure.prefix(7)))
        let build = try #require(board.running.values.first)
        #expect(
            tree.lines(build, width: 40, now: events.moment(4)) == [
                "● linux #3  starting               4.0 s",
                "  ✓ compile  compiled              2.5 s",
                "  ● test     testing               1.5 s",
            ])
    }

    @Test func `every line has the width of the terminal`() throws {
        let long = String(repeating: "wide 日本 ", count: 20)
        let board = board([
            events.build(.buildNew, at: 0, long),
            events.step(1, long, .stepStarted, at: 0, long),
        ])
        let build = try #require(board.running.values.first)
        for width in [20, 33, 80, 200] {
            for line in tree.lines(build, width: width, now: events.moment(1)) {
                #expect(line.columns == width)
            }
        }
    }

    @Test func `where there is no UTF-8 the marks are ASCII`() throws {
        let tree = BuildTree(TerminalTraits(isTerminal: false, environment: [:]))
        let board = board(Array(events.failure.prefix(7)))
        let build = try #require(board.running.values.first)
        let text = tree.lines(build, width: 30, now: events.moment(4)).joined()
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
    }

    @Test func `in few rows finished steps are left out first, then the rest is counted`() {
        var all: [Event] = []
        for id in 1...3 { all += SampleEvents(builder: "b\(id)", buildID: id).failure.prefix(7) }
        let running = board(all).running.values
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
