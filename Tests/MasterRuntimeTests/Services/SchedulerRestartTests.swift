import Foundation
import GRDB
import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// Schedulers that go on under other circumstances: another name, another clock.
@Suite(.timeLimit(.minutes(2)))
struct SchedulerRestartTests {
    private static let builders = """

        builders:
          - {name: one, steps: []}
        """

    private static let stable = """
        schedulers:
          - schedulers.SingleBranchScheduler:
              {name: stable, branch: main, treeStableTimer: 5s, fileIsImportant: '*.c', builderNames: [one]}
        """ + builders

    private func reasons(_ master: Master) async throws -> [String] {
        try await master.environment.store.read { database in
            try database.all("SELECT reason FROM buildset ORDER BY id") { $0[0] as String }
        }
    }

    // MARK: Other names

    @Test func `a scheduler that is renamed tells of the changes that it had yet to build`()
        async throws
    {
        let clock = JumpingClock(ChangeSchedulerTests.start)
        let renamed = Self.stable.replacing("name: stable", with: "name: other")
        try await MasterBench.with(Self.stable) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "stable", master)
                for file in ["a.c", "b.txt"] {
                    try await master.addChange(ChangeSchedulerTests.change("main", file))
                }
                try await ChangeSchedulerTests.wait(for: 2, by: "stable", master)
                let changes = try await bench.reconfigure(master, renamed)
                #expect(changes.forgottenChanges == ["stable": 2])
                // One that has only unimportant changes had nothing to build.
                try await ChangeSchedulerTests.wait(for: 2, by: "other", master)
                try await master.addChange(ChangeSchedulerTests.change("main", "c.txt"))
                try await ChangeSchedulerTests.wait(for: 3, by: "other", master)
                let again = try await bench.reconfigure(master, Self.stable)
                #expect(again.forgottenChanges.isEmpty)
            }
            #expect(
                bench.messages.texts.contains(
                    "2 changes will not be built: master.yaml no longer has the scheduler 'stable', "
                        + "which had collected them"))
        }
    }

    @Test func `Dependent follows another upstream from its running builds on`() async throws {
        func yaml(_ upstream: String) -> String {
            """
            schedulers:
              - schedulers.Triggerable: {name: first, builderNames: [one]}
              - schedulers.Triggerable: {name: other, builderNames: [one]}
              - schedulers.Dependent: {name: second, upstream: \(upstream), builderNames: [two]}
            builders:
              - {name: one, steps: [steps.Play: $hang]}
              - {name: two, steps: [steps.Play: $two]}
            """
        }
        let (begun, gate, built) = (Journal<Void>(), Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                begun.add(())
                await gate.wait(for: 1)
                return .success
            },
            "two": { _ in
                built.add(())
                return .success
            },
        ]
        func request(_ scheduler: String) -> BuildsetRequest {
            var request = BuildsetRequest(builders: ["one"], reason: "test")
            request.properties.set("scheduler", .string(scheduler), source: "Scheduler")
            return request
        }
        try await MasterBench.with(yaml("first"), scripts: scripts) { bench in
            try await bench.run(slots: 1, resumes: true) { master in
                try await ChangeSchedulerTests.waitForState(of: "second", master)
                let builds = [
                    try await master.submit(request("other")),
                    try await master.submit(request("first")),
                ]
                await begun.wait(for: 1)
                func state() async throws -> JSONValue? {
                    try await ChangeSchedulerTests.state(of: "second", master)
                }
                while try await state()?["open"] != [2] {
                    try await Task.sleep(for: .milliseconds(2))
                }
                _ = try await bench.reconfigure(master, yaml("other"))
                while try await state()?["upstream"] != "other" {
                    try await Task.sleep(for: .milliseconds(2))
                }
                gate.add(())
                for build in builds { _ = try await master.wait(for: build) }
                await built.wait(for: 1)
                while try await state()?["open"] != [] {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
            // Those of the former one are none of its business any more.
            #expect(built.entries.count == 1)
        }
    }

    @Test func `Dependent follows what its upstream submits, not rebuilds of a part of it`()
        async throws
    {
        let yaml = """
            schedulers:
              - schedulers.SingleBranchScheduler: {name: tests, branch: main, builderNames: [a, b]}
              - schedulers.Dependent: {name: deploy, upstream: tests, builderNames: [c]}
            builders:
              - {name: a, steps: []}
              - {name: b, steps: [steps.Play: $fail]}
              - {name: c, steps: []}
            """
        let scripts: [String: Scripts.Script] = ["fail": { _ in .failure }]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 2, resumes: true) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "tests", master)
                try await ChangeSchedulerTests.waitForState(of: "deploy", master)
                func next(_ state: JSONValue) async throws {
                    while try await ChangeSchedulerTests.state(of: "deploy", master) != state {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
                try await master.addChange(ChangeSchedulerTests.change())
                try await next(["upstream": "tests", "next": 2, "open": []])
                let build = try await master.environment.store.read { database in
                    try database.number("SELECT id FROM build WHERE results = 0", [])
                }
                let built = try #require(build)
                let rebuild = try #require(await master.rebuild(built))
                _ = try await master.wait(for: rebuild)
                // A property of a change does not hide whose builds they are.
                try await master.addChange(
                    ChangeSchedulerTests.change(properties: ["scheduler": "other"]))
                try await next(["upstream": "tests", "next": 4, "open": []])
                let found = try await reasons(master)
                #expect(found.filter { $0 == "downstream" } == [])
            }
        }
    }

    // MARK: Bounds

    @Test func `the newest unimportant changes are kept for an important one`() async throws {
        let clock = JumpingClock(ChangeSchedulerTests.start)
        try await MasterBench.with(Self.stable) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "stable", master)
                let changes = (1...510).map { _ in ChangeSchedulerTests.change("main", "a.txt") }
                _ = try await master.addChanges(changes + [ChangeSchedulerTests.change()]) { _ in }
                try await ChangeSchedulerTests.wait(for: 511, by: "stable", master)
                #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                while try await reasons(master).isEmpty {
                    try await Task.sleep(for: .milliseconds(2))
                }
                let built = try await ChangeSchedulerTests.built(master)
                #expect(built == [Array(11...511)])
            }
        }
    }

    // MARK: Other times

    @Test func `a time at which a scheduler was disabled is not made up`() async throws {
        let yaml = """
            schedulers:
              - schedulers.Periodic: {name: timed, periodicBuildTimer: 1h, builderNames: [one]}
            """ + Self.builders
        let start = ChangeSchedulerTests.start
        let clock = JumpingClock(start)
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                _ = try await master.enable(scheduler: 1, false)
                #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                await clock.waitForSleepers(1)
                _ = try await master.enable(scheduler: 1, true)
            }
            clock.now = start.addingTimeInterval(5000)
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                #expect(clock.deadlines == [start.addingTimeInterval(7200)])
                let count = try await reasons(master).count
                #expect(count == 1)
            }
        }
    }

    @Test func `a time at which it was disabled leaves the changes to the next one`()
        async throws
    {
        let yaml = """
            schedulers:
              - schedulers.Nightly:
                  name: timed
                  hour: 3
                  timezone: UTC
                  branch: main
                  onlyIfChanged: true
                  builderNames: [one]
            """ + Self.builders
        let clock = JumpingClock(ChangeSchedulerTests.start)
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                func add(_ file: String) async throws {
                    try await master.addChange(ChangeSchedulerTests.change("main", file))
                }
                func night() async throws {
                    #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                    await clock.waitForSleepers(1)
                }
                await clock.waitForSleepers(1)
                // The first build needs no change.
                try await night()
                try await add("a.c")
                _ = try await master.enable(scheduler: 1, false)
                try await ChangeSchedulerTests.wait(for: 1, by: "timed", master)
                try await add("b.c")
                try await night()
                _ = try await master.enable(scheduler: 1, true)
                try await night()
                let built = try await ChangeSchedulerTests.built(master)
                #expect(built == [[], [1]])
            }
        }
    }

    @Test func `changes pass by while it is disabled, also if that was done at its time`()
        async throws
    {
        let yaml = """
            schedulers:
              - schedulers.Periodic:
                  {name: timed, periodicBuildTimer: 1h, onlyIfChanged: true, builderNames: [one]}
            """ + Self.builders
        let clock = JumpingClock(ChangeSchedulerTests.start)
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                let due = try #require(clock.deadlines.first)
                // The sleep has yet to end.
                clock.now = due
                _ = try await master.enable(scheduler: 1, false)
                while [[], [due]].contains(clock.deadlines) {
                    try await Task.sleep(for: .milliseconds(2))
                }
                try await master.addChange(ChangeSchedulerTests.change())
                _ = try await master.enable(scheduler: 1, true)
                #expect(await clock.jump(before: .distantFuture, whenAsleep: 1))
                await clock.waitForSleepers(1)
                let built = try await ChangeSchedulerTests.built(master)
                #expect(built == [[]])
            }
        }
    }

    @Test func `timed schedulers that follow changes end without being told twice`() async throws {
        let schedulers = (1...4).map {
            "  - schedulers.Nightly: {name: n\($0), hour: 3, onlyIfChanged: true, builderNames: [one]}"
        }
        let yaml = "schedulers:\n" + schedulers.joined(separator: "\n") + Self.builders
        let clock = JumpingClock(ChangeSchedulerTests.start)
        try await MasterBench.with(yaml) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(4)
                let time = await ContinuousClock().measure {
                    await master.endBuilds(within: .seconds(1))
                }
                #expect(time < RunningService.grace * 3)
            }
        }
    }

    @Test func `a timer ends in time though the clock was set back, or the timer is shorter now`()
        async throws
    {
        let clock = JumpingClock(ChangeSchedulerTests.start)
        try await MasterBench.with(Self.stable) { bench in
            try await bench.run(resumes: true, time: clock) { master in
                try await ChangeSchedulerTests.wait(for: 0, by: "stable", master)
                try await master.addChange(ChangeSchedulerTests.change())
                try await ChangeSchedulerTests.wait(for: 1, by: "stable", master)
            }
            clock.now = ChangeSchedulerTests.start.addingTimeInterval(-86_400)
            try await bench.run(resumes: true, time: clock) { master in
                await clock.waitForSleepers(1)
                #expect(clock.deadlines == [clock.now.addingTimeInterval(5)])
                _ = try await bench.reconfigure(
                    master, Self.stable.replacing("treeStableTimer: 5s, ", with: ""))
                while try await reasons(master).isEmpty {
                    try await Task.sleep(for: .milliseconds(2))
                }
            }
        }
    }

    @Test(arguments: [
        ("Periodic: {periodicBuildTimer: 1h", "2026-06-01T10:00:00Z", "2026-06-01T11:00:00Z"),
        ("Nightly: {hour: 3, timezone: UTC", "2026-06-01T02:30:00Z", "2026-06-01T03:00:00Z"),
        // Not twice on the same day by a clock that was set back by an hour.
        ("Nightly: {hour: 3, timezone: UTC", "2026-06-10T02:30:00Z", "2026-06-11T03:00:00Z"),
    ])
    func `a clock that was set back does not put builds off`(
        _ scheduler: String, _ now: String, _ due: String
    ) async throws {
        let yaml = "schedulers: [schedulers.\(scheduler), name: timed, builderNames: [one]}]"
        let clock = JumpingClock(try Date("2026-06-10T03:00:00Z", strategy: .iso8601))
        try await MasterBench.with(yaml + Self.builders) { bench in
            clock.now = try Date("2026-06-09T12:00:00Z", strategy: .iso8601)
            try await bench.run(resumes: true, time: clock) { master in
                let end = try Date("2026-06-10T03:30:00Z", strategy: .iso8601)
                while await clock.jump(before: end, whenAsleep: 1) {}
                let found = try await reasons(master)
                #expect(!found.isEmpty)
            }
            clock.now = try Date(now, strategy: .iso8601)
            try await bench.run(resumes: true, time: clock) { _ in
                await clock.waitForSleepers(1)
                let expected = try Date(due, strategy: .iso8601)
                #expect(clock.deadlines == [expected])
            }
            let hasWarned = bench.messages.texts.contains { $0.contains("still to come") }
            #expect(hasWarned == now.hasPrefix("2026-06-01"))
        }
    }
}
