import Foundation
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// What is built of the changes of a day, by a clock that the test sets.
@Suite(.timeLimit(.minutes(2)))
struct ChangeDayTests {
    private static let day = """
        schedulers:
          - schedulers.SingleBranchScheduler:
              name: stable
              branch: main
              treeStableTimer: 5m
              fileIsImportant: {exclude: '*.txt'}
              builderNames: [one]
          - schedulers.AnyBranchScheduler: {name: any, builderNames: [two]}
          - schedulers.Nightly:
              {name: nightly, hour: 3, timezone: UTC, onlyIfChanged: true, builderNames: [three]}
        builders:
          - {name: one, steps: []}
          - {name: two, steps: []}
          - {name: three, steps: []}
        """

    /// Waits until the schedulers have looked at all changes and nothing is due any more.
    private func settle(_ last: Int, _ clock: JumpingClock, _ master: Master) async throws {
        for name in ["stable", "any"] {
            try await ChangeSchedulerTests.wait(for: last, by: name, master)
        }
        while true {
            let groups = try await ChangeSchedulerTests.state(of: "stable", master)?["collected"]?
                .arrayValue
            let dues = groups?.compactMap { $0["due_ms"]?.intValue } ?? []
            let now = Int(clock.now.timeIntervalSince1970 * 1000)
            let deadlines = clock.deadlines
            if dues.allSatisfy({ $0 > now }), deadlines.count == 1 + dues.count,
                deadlines.allSatisfy({ $0 > clock.now })
            {
                return
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Passes the time until a moment.
    private func pass(
        until moment: Date, _ last: Int, _ clock: JumpingClock, _ master: Master
    ) async throws {
        try await settle(last, clock, master)
        while await clock.jump(before: moment + 0.001, whenAsleep: 1) {
            try await settle(last, clock, master)
        }
        clock.now = moment
    }

    @Test(arguments: 1...3)
    func `in a day with a kill, restarts and new configurations each change is built once`(
        _ seed: UInt64
    ) async throws {
        var random = SmallRandom(state: seed)
        let clock = JumpingClock(ChangeSchedulerTests.start)
        var moment = ChangeSchedulerTests.start
        var added: [Change] = []
        try await MasterBench.with(Self.day) { bench in
            var basedir = bench.basedir
            for part in 1...4 {
                let counts = (1...25).map { _ in Double(random.next(900)) }
                let branches = counts.map { _ in ["main", "main", "next"][random.next(3)] }
                let files = counts.map { _ in ["a.c", "b.txt"][random.next(2)] }
                let yaml = Self.day.replacing("5m", with: "\(3 + part)m")
                let (start, before, folder) = (moment, added, basedir)
                let outcome = try await bench.run(
                    resumes: true, basedir: folder, time: clock
                ) { master -> (Date, [Change]) in
                    var (moment, added) = (start, before)
                    for name in ["stable", "any", "nightly"] {
                        try await ChangeSchedulerTests.waitForState(of: name, master)
                    }
                    for (index, seconds) in counts.enumerated() {
                        moment += seconds
                        try await pass(until: moment, added.count, clock, master)
                        let change = ChangeSchedulerTests.change(branches[index], files[index])
                        added.append(try await master.addChange(change))
                        if index == 12 {
                            // While a timer may run, and with a change that nobody has seen yet.
                            try await bench.reconfigure(master, yaml)
                        }
                    }
                    // The next master gets what this one would leave behind if it were killed.
                    if part == 2 { _ = try await bench.copy(of: master) }
                    if part == 4 {
                        moment += 100_000
                        try await pass(until: moment, added.count, clock, master)
                        try await CollapsingTests.waitForRequests(master)
                        try await checkDay(master, added)
                    }
                    return (moment, added)
                }
                (moment, added) = outcome
                if part == 2 { basedir = bench.folder + "/copy" }
                moment += 1000
                clock.now = moment
            }
        }
    }

    /// Each change is in one build of those that follow it.
    private func checkDay(_ master: Master, _ added: [Change]) async throws {
        let main = added.filter { $0.branch == "main" }.map(\.id)
        let lastImportant =
            added.last { $0.branch == "main" && $0.files == ["a.c"] }?.id ?? 0
        let one = try await CollapsingTests.changesOfBuilds(master, of: "one").flatMap(\.self)
        // Unimportant ones at the end wait for the next important one.
        #expect(one.sorted().prefix { $0 <= lastImportant } == main.prefix { $0 <= lastImportant })
        #expect(Set(one).count == one.count)
        let two = try await CollapsingTests.changesOfBuilds(master, of: "two").flatMap(\.self)
        #expect(two.sorted() == added.map(\.id))
        let three = try await CollapsingTests.changesOfBuilds(master, of: "three").flatMap(\.self)
        #expect(three.sorted() == added.map(\.id))
    }
}

/// Numbers that are the same in each run.
private struct SmallRandom {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
