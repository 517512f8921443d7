import GRDB
import MasterKit
import Synchronization
import Testing

@testable import MasterRuntime

/// Builds that steps of other builds trigger.
@Suite(.timeLimit(.minutes(2)))
struct TriggerTests {
    @Test func `a build that waits gives its slot back and takes the worst result`() async throws {
        let yaml = """
            builders:
              - name: all
                steps:
                  - steps.Trigger: {builderNames: [test, pack], waitForFinish: true}
                  - steps.Give: success
              - {name: test, triggeredOnly: true, steps: [steps.Give: success]}
              - {name: pack, triggeredOnly: true, steps: [steps.Give: failure]}
            """
        try await MasterBench.with(yaml) { bench in
            let (builds, records) = try await bench.run(slots: 1) { master in
                let builds = try await master.build() + master.endServices()
                return (builds, try await Self.records(of: master))
            }
            #expect(
                builds.map(\.outline) == [
                    [
                        "failure: failed pack #1: failure (failure)",
                        "Trigger: pack #1: failure (failure)", "Give: finished",
                    ],
                    ["success: build successful", "Give: finished"],
                    ["failure: failed finished (failure)", "Give: finished (failure)"],
                ])
            #expect(
                try bench.log("builds", of: builds[0]) == """
                    otest #1: success: build successful
                    opack #1: failure: failed finished (failure)

                    """)
            #expect(records.map(\.parentBuildID) == [nil, builds[0].build.id])
            #expect(records.map(\.parentRelationship) == [nil, "Triggered from"])
            #expect(records[1].reason == "triggered by all #1")
        }
    }

    @Test func `a build whose result does not count is marked, with those that it triggers`()
        async throws
    {
        let yaml = """
            builders:
              - name: all
                steps:
                  - steps.Trigger:
                      builderNames: [test, extra]
                      unimportantBuilderNames: extra
                      waitForFinish: true
              - {name: test, triggeredOnly: true, steps: [steps.Give: success]}
              - {name: extra, triggeredOnly: true, steps: [steps.Trigger: more, steps.Give: failure]}
              - {name: more, triggeredOnly: true, steps: [steps.Give: failure]}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run { master in
                try await master.build() + master.endServices()
            }
            let marked = builds.filter(\.isUnimportant).map(\.builder)
            #expect(Set(marked) == ["extra", "more"])
            #expect(builds.count == 4)
            #expect(builds.first { $0.builder == "all" }?.build.results == .success)
        }
    }

    private static func records(of master: Master) async throws -> [Buildset] {
        try await master.environment.store.read { database in
            try [1, 2].compactMap { try Buildset.find($0, in: database) }
        }
    }

    @Test func `a build that does not wait ends first, and the others are built, too`()
        async throws
    {
        let yaml = """
            builders:
              - {name: all, steps: [steps.Trigger: test]}
              - {name: test, triggeredOnly: true, steps: [steps.Give: failure]}
            """
        try await MasterBench.with(yaml) { bench in
            let (first, rest) = try await bench.run(slots: 1) { master in
                (try await master.build(), try await master.endServices())
            }
            #expect(
                first.map(\.outline) == [["success: build successful", "Trigger: triggered test"]])
            #expect(rest.map(\.builder) == ["test"])
        }
    }

    @Test func `properties are passed on only where the step says so`() async throws {
        let yaml = """
            properties: {level: 1}
            builders:
              - name: all
                properties: {own: 2, kept: 3}
                steps:
                  - steps.Trigger:
                      builderNames: test
                      waitForFinish: true
                      set_properties: {level: !Property given, more: [a, 1]}
                      copy_properties: [own, missing]
              - {name: test, triggeredOnly: true, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run { master in
                try await master.build(properties: ["given": 7]) + master.endServices()
            }
            let properties = try #require(builds.last).build.properties
            #expect(properties["level"] == 7)
            #expect(properties["more"] == ["a", 1])
            #expect(properties["own"] == 2)
            #expect(properties["kept"] == nil && properties["given"] == nil)
            #expect(properties["scheduler"] == "trigger")
            #expect(properties.entries["level"]?.source == "Trigger")
            #expect(properties.entries["own"]?.source == "Builder (triggering build)")
        }
    }

    @Test(arguments: [
        ("", "r2"), ("updateSourceStamp: false", "r1"), ("alwaysUseLatest: true", nil),
        ("sourceStamp: {revision: r3, branch: b}", "r3"),
    ])
    func `the builds get the sources that the settings say`(
        _ setting: String, _ revision: String?
    ) async throws {
        let yaml = """
            builders:
              - name: all
                steps:
                  - steps.SetProperty: {property: got_revision, value: r2}
                  - steps.Trigger: {builderNames: test, waitForFinish: true, \(setting)}
              - {name: test, triggeredOnly: true, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run { master in
                let request = BuildsetRequest(
                    builders: ["all"], reason: "test",
                    sourceStamps: [SourceStamp(branch: "main", revision: "r1", repository: "x")])
                return try await master.wait(for: master.submit(request)) + master.endServices()
            }
            let properties = try #require(builds.last).build.properties
            #expect(properties["revision"] == revision.map { .string($0) } ?? .null)
            #expect(properties["repository"] == (revision == "r3" ? "" : "x"))
        }
    }

    @Test(arguments: [
        ("tset", "there is no builder 'tset'", "did you mean 'test'?"),
        (
            "all",
            "'all' can't be triggered by a build that it has triggered itself: 'all' → 'all'", ""
        ),
    ])
    func `a computed name that can't be triggered is a failure`(
        _ name: String, _ state: String, _ remedy: String
    ) async throws {
        let yaml = """
            builders:
              - name: all
                steps: [steps.Trigger: {builderNames: [!Property name], waitForFinish: true}]
              - {name: test, triggeredOnly: true, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build(["all"], properties: ["name": .string(name)])
            #expect(builds[0].steps.map(\.stateString) == ["\(state) (failure)"])
            #expect(try bench.log("stdio", of: builds[0]).contains(remedy))
        }
    }

    @Test func `a circle of builders ends, and the sentence names it`() async throws {
        let yaml = """
            builders:
              - {name: a, steps: [steps.Trigger: {builderNames: [!Property next], waitForFinish: true,
                  set_properties: {next: c}}], properties: {next: b}}
              - {name: b, steps: [steps.Trigger: {builderNames: [!Property next], waitForFinish: true,
                  set_properties: {next: a}}]}
              - {name: c, steps: [steps.Trigger: {builderNames: [!Property next], waitForFinish: true}]}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run(slots: 1) { master in
                try await master.build(["a"]) + master.endServices()
            }
            #expect(builds.map(\.builder) == ["a", "b", "c"])
            #expect(
                builds.last?.steps.map(\.stateString) == [
                    "'a' can't be triggered by a build that it has triggered itself: "
                        + "'a' → 'b' → 'c' → 'a' (failure)"
                ])
        }
    }

    @Test func `builds that would wait for each other fail instead`() async throws {
        let yaml = """
            builders:
              - {name: a, steps: [steps.Play: $meet, steps.Trigger: {builderNames: [!Property b],
                  waitForFinish: true}], properties: {b: b}}
              - {name: b, steps: [steps.Play: $meet, steps.Trigger: {builderNames: [!Property a],
                  waitForFinish: true}], properties: {a: a}}
            """
        let met = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "meet": { _ in
                met.add(())
                await met.wait(for: 2)
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(["a", "b"])
            let states = builds.flatMap(\.steps).filter { $0.results == .failure }
                .map(\.stateString)
            #expect(states.contains { $0.hasPrefix("deadlock: ") }, "\(states)")
        }
    }

    // MARK: Stopping

    @Test func `stopping a build that waits stops what it has triggered`() async throws {
        let yaml = """
            builders:
              - name: all
                steps:
                  - steps.Trigger: {builderNames: [test, pack], waitForFinish: true}
                  - steps.Give: {result: success, alwaysRun: true}
              - {name: test, triggeredOnly: true, steps: [steps.Play: $hang]}
              - {name: pack, triggeredOnly: true, steps: [steps.Play: $hang]}
            """
        let started = Journal<Void>()
        try await MasterBench.with(yaml, scripts: Self.hanging(started)) { bench in
            let builds = try await bench.run(slots: 1) { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "enough")
                return try await builds + master.endServices()
            }
            #expect(
                builds.map { "\($0.builder): \(Results.text($0.build.results))" } == [
                    "all: cancelled", "test: cancelled",
                ])
            #expect(builds[0].steps.map(\.results) == [.cancelled, .success])
            #expect(started.entries.count == 1)
        }
    }

    @Test(arguments: ["", "maxTime: 0.3"])
    func `a time limit stops what was triggered`(_ ofBuilder: String) async throws {
        let yaml = """
            builders:
              - name: all
                \(ofBuilder)
                steps:
                  - steps.Trigger:
                      builderNames: [test, pack]
                      waitForFinish: true
                      \(ofBuilder.isEmpty ? "maxTime: 0.3" : "")
              - {name: test, triggeredOnly: true, steps: [steps.Play: $hang]}
              - {name: pack, triggeredOnly: true, steps: [steps.Play: $hang]}
            """
        try await MasterBench.with(yaml, scripts: Self.hanging(Journal())) { bench in
            let (builds, open) = try await bench.run(slots: 1) { master in
                let builds = try await master.build() + master.endServices()
                let open = try await master.environment.store.read {
                    try BuildRequest.pending(in: $0).count + Build.unfinished(in: $0).count
                }
                return (builds, open)
            }
            #expect(builds[0].build.results == .failure)
            #expect(builds[0].build.stateString.hasSuffix("(timed out)"))
            #expect(builds.dropFirst().allSatisfy { $0.build.results == .cancelled })
            #expect(
                builds.dropFirst().allSatisfy {
                    $0.build.stateString.contains("(all #1 no longer waits for it)")
                })
            #expect(open == 0)
        }
    }

    private static func hanging(_ started: Journal<Void>) -> [String: Scripts.Script] {
        [
            "hang": { _ in
                started.add(())
                try await neverEnd()
                return .success
            }
        ]
    }

    // MARK: From Swift

    @Test func `a step of another package triggers builds, too`() async throws {
        let yaml = """
            builders:
              - {name: all, steps: [steps.Play: $trigger]}
              - {name: one, triggeredOnly: true, needs: two, steps: [steps.Give: warnings]}
              - {name: two, triggeredOnly: true, steps: [
                  steps.SetProperty: {property: size, value: 5}]}
            """
        let ended = Mutex<[TriggeredBuild]>([])
        let scripts: [String: Scripts.Script] = [
            "trigger": { context in
                let builds = try await context.build(
                    BuildsetRequest(builders: ["one", "two"], reason: "a reason"))
                ended.withLock { $0 = builds }
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let results = try await bench.build(["all"], slots: 1)
            #expect(results.map(\.build.results) == [.success])
            let builds = ended.withLock(\.self)
            #expect(builds.map(\.title) == ["one #1", "two #1"])
            #expect(builds.map(\.results) == [.success, .success])
            #expect(builds[1].properties["size"] == 5)
        }
    }

    @Test func `after a crash each build ends once, and is not built again for nobody`()
        async throws
    {
        let yaml = """
            builders:
              - {name: all, steps: [steps.Give: success]}
              - {name: test, steps: [steps.Give: success]}
            """
        try await MasterBench.with(yaml) { bench in
            try await crash(in: bench)
            let states = try await bench.run(resumes: true) { master in
                while try await master.environment.store.read({
                    try BuildRequest.pending(in: $0).count + Build.unfinished(in: $0).count
                }) > 0 { await Task.yield() }
                return try await master.environment.store.read { database in
                    try database.all("SELECT state_string FROM build ORDER BY id") {
                        $0[0] as String
                    }
                }
            }
            #expect(
                states == [
                    "retry (master stopped)", "cancelled (master stopped)", "build successful",
                ])
        }
    }

    /// Leaves a store with a build that waits for a running and a pending one.
    private func crash(in bench: MasterBench) async throws {
        let store = try await Store.open(folder: bench.basedir)
        _ = try await store.write { transaction in
            let all = try transaction.builder(named: "all", description: nil, tags: [])
            let test = try transaction.builder(named: "test", description: nil, tags: [])
            let worker = try transaction.worker(named: "local")
            let set = Buildset(id: 0, reason: "test", submittedAt: transaction.now)
            let first = try transaction.submit(
                Masked(alreadyMasked: set), builders: [all],
                properties: Masked(alreadyMasked: Properties()),
                origin: .service)
            let parent = try transaction.claim(
                first.requests[0].id, builder: all, workerID: worker)
            try transaction.announce(parent)
            let child = Buildset(
                id: 0, reason: "test", submittedAt: transaction.now, parentBuildID: parent.id)
            let second = try transaction.submit(
                Masked(alreadyMasked: child), builders: [test, test],
                properties: Masked(alreadyMasked: Properties()), waitedFor: true, origin: .service)
            let build = try transaction.claim(
                second.requests[0].id, builder: test, workerID: worker)
            try transaction.announce(build)
        }
        await store.close()
    }
}
