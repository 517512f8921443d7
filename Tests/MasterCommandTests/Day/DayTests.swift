import FoundationEssentials
import MasterKit
import MasterTesting
import Subprocess
import Testing

/// Two days of a master, with all that may happen, which take some 20 seconds.
///
/// The variables `BUILDMASTER_DAYS` and `BUILDMASTER_DAY_SEED` set how many times they pass, by
/// default once, and the first seed; `.ci/day` uses 20 seeds.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct DayTests {
    private static let seeds: Range<UInt64> = {
        let variables = ProcessInfo.processInfo.environment
        let first = variables["BUILDMASTER_DAY_SEED"].flatMap { UInt64($0) } ?? 1
        let count = variables["BUILDMASTER_DAYS"].flatMap { UInt64($0) } ?? 1
        return first..<(first + count)
    }()

    @Test(arguments: Self.seeds)
    func `each change is built once, each build reported, and no timer missed or doubled`(
        _ seed: UInt64
    ) async throws {
        try await withHTTPClient { client in
            try await Program.inFolder { program in
                let day = try await Day(DayPlan(seed: seed), program, client)
                try await live(day)
                await day.receiver.disappear()
            }
        }
    }

    private func live(_ day: Day) async throws {
        var file = Day.File()
        try day.write(file)
        try day.receiver.appear()
        try await day.withMaster(status: -9) { running in
            try await day.wait(for: "the first look") { try $0.state("changes/%") != nil }
            try await day.settle()
            try await day.pass(until: DayPlan.seconds("2026-03-28T10:00:00Z"))
            try await reconfigure(day, &file)
            try await day.pass(until: DayPlan.seconds("2026-03-28T22:00:00Z"))
            try await loseReceiver(day)
            try await breakFile(day, file)
            try await day.holdingBuild { try running.send(.kill) }
        }
        try day.sleep(minutes: 7)
        var unsure: DayPlan.Push?
        try await day.withMaster(status: -9) { running in
            try await day.pass(until: DayPlan.seconds("2026-03-28T22:50:00Z"))
            // The reporter changes while its reports can't be delivered.
            file.timeout = 6
            try await apply(file, in: day)
            try await day.pass(until: DayPlan.seconds("2026-03-28T23:00:00Z"))
            #expect(try day.store.openReports() > 0)
            try day.receiver.appear()
            try await day.pass(until: DayPlan.seconds("2026-03-30T00:10:00Z"))
            unsure = try await killDuringHook(day, running)
        }
        // The nightly build of this night is made up.
        try day.sleep(minutes: 30)
        try await day.withMaster(status: 0) { running in
            try await day.forge.deliver(try #require(unsure))
            try await day.pass(until: DayPlan.end)
            try await finish(day)
            try await DayCheck(day).run()
            try running.send(.terminate)
        }
    }

    // MARK: What happens

    /// Changes two timers while a build runs.
    private func reconfigure(_ day: Day, _ file: inout Day.File) async throws {
        (file.timer, file.interval) = ("8m", "7m")
        let changed = file
        try await day.holdingBuild {
            try await apply(changed, in: day)
            #expect(try day.store.running("two") > 0)
        }
        try await day.settle()
    }

    private func apply(_ file: Day.File, in day: Day) async throws {
        try day.write(file)
        let ended = try await day.program.run("reconfig")
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.output.contains("changed: "), "\(ended)")
    }

    private func breakFile(_ day: Day, _ file: Day.File) async throws {
        var broken = file
        broken.timer = "1s"
        broken.end = "schedulerz: []"
        try day.write(broken)
        let ended = try await day.program.run("reconfig")
        #expect(ended.status == 2)
        #expect(ended.error.contains("schedulerz"), "\(ended)")
        #expect(ended.error.hasSuffix("the previous configuration stays in force\n"))
        try day.write(file)
    }

    /// The receiver refuses connections, and later answers that it is overloaded; each attempt is
    /// made once its time has come.
    private func loseReceiver(_ day: Day) async throws {
        try await day.settle()
        try await day.wait(for: "reports") { try $0.isReported() }
        await day.receiver.disappear()
        try await day.pass(minutes: 1)
        try await day.wait(for: "a build") { try $0.openReports() > 0 }
        // As in RetrySchedule, with the longest delays that are chosen: 6, 36 and 144 seconds.
        for (attempts, minutes) in [(1, 1), (2, 1), (3, 3), (4, 0)] {
            try await day.wait(for: "attempt \(attempts)") { try $0.mostAttempts() >= attempts }
            try await day.pass(minutes: minutes)
        }
        try day.receiver.appear(overloaded: true)
        try await day.pass(minutes: 13)
        try await day.wait(for: "a refused report") { _ in day.receiver.refusalCount > 0 }
    }

    /// Kills the master while a forge tells it of a push: at once, or, for every other seed, once
    /// the change is stored. The forge cannot know which, and will tell it again.
    private func killDuringHook(
        _ day: Day, _ running: RunningProgram
    ) async throws -> DayPlan.Push {
        // A script's request may be meant twice if it comes twice.
        while ![.github, .gitlab].contains(day.wayOfNext) { try await day.deliverNext() }
        let push = day.takeNext()
        let forge = day.forge
        async let delivery: Void = forge.deliver(push)
        if !day.plan.seed.isMultiple(of: 2) {
            let revision = forge.commits(of: push).last?.revision ?? ""
            try await day.wait(for: "the change") { try $0.revisions().contains(revision) }
        }
        try running.send(.kill)
        do {
            try await delivery
        } catch is HTTPError {
            // Whether the change was stored is seen at the end.
        }
        return push
    }

    /// Waits for the poller, the last timers and the reports.
    private func finish(_ day: Day) async throws {
        while try day.store.revisions().count < day.commits.count {
            try await Task.sleep(for: .milliseconds(100))
            try await day.pass(minutes: 1)
            // Before the next nightly build.
            try #require(day.now / 1000 < DayPlan.end + 4 * 3600, "commits were not found")
        }
        try await day.settle()
        try await day.pass(minutes: 10)
        try await day.settle()
        try await day.wait(for: "reports") { try $0.isReported() }
    }
}
