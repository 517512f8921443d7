import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// How a master that stays up ends, and what the next one takes up.
@Suite(.timeLimit(.minutes(1)))
struct EndingTests {
    private static let hanging = """
        builders:
          - name: one
            steps:
              - steps.Play: {script: $hang, name: work}
              - steps.Give: {result: success, name: more}
              - steps.Play: {script: $tidy, name: tidy, alwaysRun: true}
          - {name: two, steps: [steps.Give: success]}
        """

    /// Scripts that hang the first time.
    private func scripts(
        _ begun: Journal<String>, hanging: Set<String> = ["hang"]
    ) -> [String: Scripts.Script] {
        var scripts: [String: Scripts.Script] = [:]
        for name in ["hang", "tidy"] {
            scripts[name] = { _ in
                begun.add(name)
                let count = begun.entries.count { $0 == name }
                if count == 1, hanging.contains(name) { try await neverEnd() }
                return .success
            }
        }
        return scripts
    }

    /// The builds that the next master finishes, until there are a number of them.
    private func next(
        _ bench: MasterBench, count: Int, basedir: String? = nil
    ) async throws -> [String] {
        let before = try await entries(bench, basedir).count
        return try await bench.run(slots: 1, resumes: true, basedir: basedir) { _ in
            while true {
                let ended = try await entries(bench, basedir).dropFirst(before)
                    .filter { $0.build.completeAt != nil }
                if ended.count >= count {
                    return ended.map {
                        "\($0.builder) #\($0.build.number) \(Results.text($0.build.results))"
                    }
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// The builds in the store, oldest first.
    private func entries(
        _ bench: MasterBench, _ basedir: String? = nil
    ) async throws -> [BuildHistory.Entry] {
        try await BuildHistory.with(folder: basedir ?? bench.basedir) {
            try await $0?.newest(limit: 99).reversed() ?? []
        }
    }

    /// The builds in the store with their states, oldest first.
    private func stored(_ bench: MasterBench) async throws -> [String] {
        try await entries(bench).map {
            "\($0.builder) #\($0.build.number) \($0.build.stateString)"
        }
    }

    @Test func `a build that outlasts the grace time ends as retry, and the next master runs it`()
        async throws
    {
        let begun = Journal<String>()
        try await MasterBench.with(Self.hanging, scripts: scripts(begun)) { bench in
            try await bench.run(slots: 1, resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait(for: 1)
                await master.endBuilds(within: .milliseconds(200))
                _ = try await master.submit(BuildsetRequest(builders: ["two"], reason: "test"))
            }
            // The step with alwaysRun has run at the end of the first build, too.
            #expect(begun.entries == ["hang", "tidy"])
            #expect(
                try await stored(bench) == ["one #1 retry (master stopped) finished (cancelled)"])
            let builds = try await next(bench, count: 2)
            #expect(builds.sorted() == ["one #2 success", "two #1 success"])
            #expect(begun.entries == ["hang", "tidy", "hang", "tidy"])
        }
    }

    @Test func `steps that always run have the grace time again`() async throws {
        let begun = Journal<String>()
        try await MasterBench.with(
            Self.hanging, scripts: scripts(begun, hanging: ["hang", "tidy"])
        ) { bench in
            try await bench.run(slots: 1, resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait(for: 1)
                await master.endBuilds(within: .milliseconds(200))
            }
            #expect(try await next(bench, count: 1) == ["one #2 success"])
        }
    }

    @Test func `a build that ends in time counts, and no other one begins`() async throws {
        let (begun, release) = (Journal<Void>(), Signal())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                begun.add(())
                await release.wait()
                return .success
            }
        ]
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $hold]}
              - {name: two, steps: [steps.Give: success]}
            """
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 1, resumes: true) { master in
                for builder in ["one", "two"] {
                    _ = try await master.submit(
                        BuildsetRequest(builders: [builder], reason: "test"))
                }
                await begun.wait(for: 1)
                async let ended: Void = master.endBuilds(within: .seconds(50))
                while !master.submissions.distributor.isHeld { await Task.yield() }
                release.raise()
                await ended
            }
            #expect(try await stored(bench) == ["one #1 build successful"])
            #expect(try await next(bench, count: 1) == ["two #1 success"])
        }
    }

    @Test func `a build that a running one waits for begins before older ones that wait`()
        async throws
    {
        let (begun, release) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "hold": { _ in
                begun.add(())
                await release.wait(for: 1)
                return .success
            }
        ]
        let yaml = """
            builders:
              - name: parent
                steps: [steps.Trigger: {builderNames: [child], waitForFinish: true}]
              - {name: child, collapseRequests: false, steps: [steps.Play: $hold]}
            """
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run(slots: 2, resumes: true) { master in
                for _ in 1...2 {
                    _ = try await master.submit(
                        BuildsetRequest(builders: ["child"], reason: "test"))
                }
                await begun.wait(for: 1)
                _ = try await master.submit(BuildsetRequest(builders: ["parent"], reason: "test"))
                while master.activity(listing: 9).waitingCount < 2 { await Task.yield() }
                async let ended: Void = master.waitForBuilds { false }
                while !master.submissions.distributor.isHeld { await Task.yield() }
                release.add(())
                await ended
                await master.endBuilds(within: .seconds(50))
            }
            #expect(
                try await stored(bench) == [
                    "child #1 build successful", "parent #1 build successful",
                    "child #2 build successful",
                ])
            #expect(try await next(bench, count: 1) == ["child #3 success"])
        }
    }

    @Test func `a build that waits for others triggers them again in the next master`()
        async throws
    {
        let yaml = """
            builders:
              - name: parent
                steps: [steps.Trigger: {builderNames: [child], waitForFinish: true}]
              - {name: child, triggeredOnly: true, steps: [steps.Play: $hang]}
            """
        let begun = Journal<String>()
        try await MasterBench.with(yaml, scripts: scripts(begun)) { bench in
            try await bench.run(resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(builders: ["parent"], reason: "test"))
                await begun.wait(for: 1)
                await master.endBuilds(within: .zero)
            }
            #expect(
                try await next(bench, count: 2).sorted() == [
                    "child #2 success", "parent #2 success",
                ])
            let builds = try await stored(bench)
            #expect(builds.count == 4)
            #expect(builds.contains { $0.hasPrefix("child #1 cancelled") })
            #expect(builds.contains { $0.hasPrefix("parent #1 retry") })
        }
    }

    @Test func `a run makes builds of a killed master pending, not failed`() async throws {
        let begun = Journal<String>()
        try await MasterBench.with(Self.hanging, scripts: scripts(begun)) { bench in
            let copy = try await bench.run(slots: 1, resumes: true) { master in
                _ = try await master.submit(BuildsetRequest(builders: ["one"], reason: "test"))
                await begun.wait(for: 1)
                return try await bench.copy(of: master)
            }
            _ = try await bench.run(slots: 1, basedir: copy) { try await $0.build(["two"]) }
            #expect(try await next(bench, count: 1, basedir: copy) == ["one #2 success"])
        }
    }
}
