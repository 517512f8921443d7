import MasterKit
import Testing

@testable import MasterRuntime

/// Locks of steps and builders.
@Suite(.timeLimit(.minutes(2)))
struct LockTests {
    @Test(arguments: [("{maxCount: 1}", "lock", 1), ("{maxCount: 2}", "{lock: counting}", 2)])
    func `no more steps run with a lock than it admits`(
        _ lock: String, _ access: String, _ limit: Int
    ) async throws {
        let names = (1...5).map { "b\($0)" }
        let builders = names.map {
            "  - {name: \($0), steps: [steps.Play: {script: $count, locks: [\(access)]}]}"
        }
        let running = ConcurrencyCount()
        let scripts: [String: Scripts.Script] = [
            "count": { _ in
                await running.counting { for _ in 1...50 { await Task.yield() } }
                return .success
            }
        ]
        let yaml = "locks: {lock: \(lock)}\nbuilders:\n" + builders.joined(separator: "\n")
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(slots: 5)
            #expect(builds.allSatisfy { $0.build.results == .success })
            #expect(running.most <= limit)
        }
    }

    @Test func `a builder that waits for a lock does not hold up others`() async throws {
        let yaml = """
            locks: {db: }
            builders:
              - {name: a, locks: db, steps: [steps.Play: $hold]}
              - {name: b, locks: [db], steps: [steps.Play: $note]}
              - {name: c, steps: [steps.Play: $note]}
            """
        let noted = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                await noted.wait(for: 1)
                noted.add("a ends")
                return .success
            },
            "note": { context in
                noted.add(context.properties["buildername"]?.text ?? "")
                return .success
            },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(slots: 2)
            #expect(builds.allSatisfy { $0.build.results == .success })
            #expect(noted.entries == ["c", "a ends", "b"])
        }
    }

    @Test func `it is known what each build that has not begun waits for`() async throws {
        let yaml = """
            locks: {db: , cpu: }
            builders:
              - {name: a, locks: [db, cpu], steps: [steps.Play: $hold]}
              - {name: b, locks: [cpu], steps: []}
              - {name: c, needs: [a, b], steps: []}
              - {name: d, steps: [steps.Play: $hold]}
              - {name: e, steps: []}
            """
        let (held, done) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                held.add(())
                await done.wait(for: 1)
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 2) { master in
                async let builds = master.build()
                await held.wait(for: 2)
                let again = try await master.submit(BuildsetRequest(builders: ["a"], reason: ""))
                let activity = master.activity(listing: 10)
                #expect(activity.running.count == 2)
                #expect(activity.waitingCount == 4)
                let reasons = activity.waiting.map { "\($0.builder): \($0.reason)" }
                #expect(
                    reasons == [
                        "b: lock 'cpu'", "e: a free slot", "a: its previous build", "c: 'a', 'b'",
                    ])
                let first = master.activity(listing: 1)
                #expect(first.waiting.map(\.builder) == ["b"])
                #expect(first.waitingCount == 4)
                done.add(())
                _ = try await builds
                _ = try await master.wait(for: again)
                #expect(master.activity(listing: 10) == BuildActivity())
            }
        }
    }

    @Test func `a step that waits says so, and the wait is in the records`() async throws {
        let yaml = """
            locks: {db: }
            builders:
              - {name: a, steps: [steps.Play: {script: $hold, locks: db}]}
              - {name: b, steps: [steps.Play: {script: $go, locks: db, maxTime: 1}]}
            """
        let events = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                events.add("held")
                await events.wait(for: 2)
                // Longer than the limit of the step that waits.
                try await Task.sleep(for: .seconds(1.2))
                return .success
            },
            "go": { _ in .success },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let steps = try await bench.run { master in
                try await master.events.withSubscription(
                    to: [.stepUpdated, .stepFinished], bound: 100
                ) { subscription in
                    let first = try await master.submit(
                        BuildsetRequest(builders: ["a"], reason: "test"))
                    await events.wait(for: 1)
                    let second = try await master.submit(
                        BuildsetRequest(builders: ["b"], reason: "test"))
                    for await case .event(let event) in subscription
                    where event.record["state_string"] == "waiting for lock 'db'" {
                        #expect(event.record["locks_acquired_at"] == .null)
                        events.add("waiting")
                        break
                    }
                    let builds =
                        try await master.wait(for: first) + master.wait(for: second)
                    #expect(builds.map(\.build.results) == [.success, .success])
                    #expect(builds[1].build.locksDuration >= .seconds(1))
                    #expect(builds[1].build.json["locks_duration_s"]?.intValue ?? 0 >= 1)
                    return builds.flatMap(\.steps)
                }
            }
            #expect(steps.map(\.stateString) == ["finished", "finished"])
            #expect(steps.allSatisfy { $0.locksAcquiredAt != nil })
        }
    }

    @Test(arguments: ["failure", "exception", "cancelled", "thrown", "timed out", "retried"])
    func `a lock is given back however the step ends`(_ end: String) async throws {
        let option =
            switch end {
            case "timed out": "maxTime: 0.2"
            case "retried": "retry: {attempts: 2, backoff: 0.01}"
            default: "haltOnFailure: false"
            }
        let yaml = """
            locks: {db: , other: }
            builders:
              - {name: a, locks: other, steps: [steps.Play: {script: $end, locks: db, \(option)}]}
              - {name: b, locks: other, steps: [steps.Play: {script: $go, locks: db}]}
            """
        let scripts: [String: Scripts.Script] = [
            "end": { _ in
                switch end {
                case "thrown": throw MissingScript(name: "thrown")
                case "timed out":
                    try await neverEnd()
                    return .success
                case "retried": return .failure
                default: return Results(name: end) ?? .success
                }
            },
            "go": { _ in .success },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run(slots: 1) { master in
                try await master.build(["a"]) + master.build(["b"])
            }
            #expect(builds.last?.build.results == .success)
        }
    }

    @Test func `builds that hold a lock and want that of the other do not wait for ever`()
        async throws
    {
        let yaml = """
            locks: {x: , y: }
            builders:
              - {name: a, locks: x, steps: [steps.Play: $meet, steps.Play: {script: $go, locks: y}]}
              - {name: b, locks: y, steps: [steps.Play: $meet, steps.Play: {script: $go, locks: x}]}
            """
        let met = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "meet": { _ in
                met.add(())
                await met.wait(for: 2)
                return .success
            },
            "go": { _ in .success },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build()
            #expect(
                builds.map(\.build.results).sorted { $0?.rawValue ?? 0 < $1?.rawValue ?? 0 }
                    == [.success, .exception])
            let states = builds.flatMap(\.steps).map(\.stateString)
            #expect(
                states.contains("exception: deadlock: 'a' waits for 'b' waits for 'a'")
                    || states.contains("exception: deadlock: 'b' waits for 'a' waits for 'b'"),
                "\(states)")
        }
    }

    @Test func `a step that any of several builds can give a lock to waits for one of them`()
        async throws
    {
        let yaml = """
            locks: {x: , y: {maxCount: 2}}
            builders:
              - {name: other, locks: [{y: counting}], steps: [steps.Play: {script: $hold}]}
              - name: a
                locks: x
                steps: [steps.Play: $meet, steps.Play: {script: $go, locks: [{y: counting}]}]
              - name: b
                locks: [{y: counting}]
                steps: [steps.Play: $meet, steps.Play: {script: $go, locks: x}]
            """
        let (met, waiting) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                await waiting.wait(for: 2)
                return .success
            },
            "meet": { _ in
                met.add(())
                await met.wait(for: 2)
                return .success
            },
            "go": { _ in .success },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run(slots: 3) { master in
                try await master.events.withSubscription(to: [.stepUpdated], bound: 100) { steps in
                    async let builds = master.build()
                    var count = 0
                    for await case .event(let event) in steps
                    where event.record["state_string"]?.stringValue?.hasPrefix("waiting") == true {
                        waiting.add(())
                        count += 1
                        if count == 2 { break }
                    }
                    return try await builds
                }
            }
            #expect(builds.map(\.build.results) == [.success, .success, .success])
        }
    }

    @Test func `a stop ends a step that waits for a lock`() async throws {
        let yaml = """
            locks: {db: }
            builders:
              - {name: a, steps: [steps.Play: {script: $hang, locks: db}]}
              - {name: b, steps: [steps.Play: {script: $hang, locks: db}]}
            """
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run { master in
                try await master.events.withSubscription(to: [.stepUpdated], bound: 100) { steps in
                    async let builds = master.build()
                    for await case .event(let event) in steps
                    where event.record["state_string"] == "waiting for lock 'db'" { break }
                    await master.stop(reason: "enough")
                    return try await builds
                }
            }
            #expect(builds.map(\.build.results) == [.cancelled, .cancelled])
            #expect(builds.flatMap(\.steps).map(\.results) == [.cancelled, .cancelled])
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `after a stop a step does not wait behind a builder that will not build`() async throws {
        let yaml = """
            locks: {x: }
            builders:
              - name: holder
                steps:
                  - steps.Play: {script: $hang, locks: x}
                  - steps.Play: {script: $go, locks: x, alwaysRun: true}
              - {name: next, locks: x, steps: [steps.Play: $go]}
              - {name: free, steps: [steps.Play: $tell]}
            """
        let (held, passed) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                held.add(())
                try await neverEnd()
                return .success
            },
            "go": { _ in .success },
            "tell": { _ in
                passed.add(())
                return .success
            },
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run(slots: 3) { master in
                let first = try await master.submit(
                    BuildsetRequest(builders: ["holder"], reason: "test"))
                await held.wait(for: 1)
                // Once the last one builds, the builder before it waits for the lock.
                _ = try await master.submit(
                    BuildsetRequest(builders: ["next", "free"], reason: "test"))
                await passed.wait(for: 1)
                await master.stop(reason: "enough")
                return try await master.wait(for: first)
            }
            #expect(builds.flatMap(\.steps).map(\.results) == [.cancelled, .success])
        }
    }

    @Test func `a computed lock that does not exist is an exception`() async throws {
        let yaml = """
            locks: {db: }
            properties: {lock: bd}
            steps: [steps.Give: {result: success, locks: [!Property lock]}]
            """
        try await MasterBench.with(yaml) { bench in
            let build = try await bench.buildOne()
            #expect(build.steps.map(\.stateString) == ["exception: there is no lock 'bd'"])
        }
    }

    // MARK: The table

    private static func demand(_ count: Int?) -> [LockDemand] {
        [LockDemand(name: "db", count: count, limit: LockLimit(maxCount: 2))]
    }

    @Test func `who comes first gets a lock first`() {
        var locks = LockTable()
        locks.take(Self.demand(1), for: 1)
        #expect(locks.canTake(Self.demand(1), for: .build(2)) { _ in false })
        #expect(!locks.canTake(Self.demand(2), for: .build(2)) { _ in false })
        #expect(!locks.canTake(Self.demand(nil), for: .build(2)) { _ in false })
        locks.add(.init(owner: .build(2), demands: Self.demand(nil), step: nil))
        #expect(!locks.canTake(Self.demand(1), for: .build(3)) { _ in false })
        // One that the other waits for need not wait behind it.
        #expect(locks.canTake(Self.demand(1), for: .build(3)) { $0 == .build(2) })
        locks.release(of: 1)
        #expect(locks.canTake(Self.demand(nil), for: .build(2)) { _ in false })
    }

    @Test(arguments: [(1, 2, true), (2, 2, true), (2, 1, false), (.max, .max, true)])
    func `as much is counted as there is`(_ count: Int, _ limit: Int, _ fits: Bool) {
        let limits = LockLimit(maxCount: limit)
        let demand = LockDemand(name: "db", count: count, limit: limits)
        #expect(demand.fits(beside: []) == fits)
        #expect(demand.fits(beside: [demand]) == (count <= limit / 2))
        let exclusive = LockDemand(name: "db", count: nil, limit: limits)
        #expect(!demand.fits(beside: [exclusive]))
        #expect(!exclusive.fits(beside: [demand]))
        #expect(exclusive.fits(beside: []))
    }

    @Test func `a bigger demand is not starved by smaller ones`() {
        var locks = LockTable()
        locks.take(Self.demand(1), for: 1)
        locks.add(.init(owner: .build(2), demands: Self.demand(2), step: nil))
        #expect(!locks.canTake(Self.demand(1), for: .build(3)) { _ in false })
        #expect(locks.blockers(of: Self.demand(2)) == [.build(1)])
        #expect(locks.waitersAhead(of: .build(2)).isEmpty)
    }
}
