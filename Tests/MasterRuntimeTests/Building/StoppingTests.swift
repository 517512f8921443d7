import MasterKit
import MasterRuntime
import Testing

/// Builds stopped by a message.
struct StoppingTests {
    @Test func `stopping cancels the running step, and steps that always run still do`()
        async throws
    {
        let yaml = """
            steps:
              - steps.Play: {script: $hang, name: one}
              - steps.Give: {result: success, name: two}
              - steps.ShellCommand: {command: echo cleaned up, name: three, alwaysRun: true}
            """
        let started = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                started.add(())
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "Ctrl-C")
                return try await builds
            }
            #expect(
                builds.map(\.outline) == [
                    [
                        "cancelled: cancelled (Ctrl-C) finished (cancelled)",
                        "one: finished (cancelled)", "three: 'echo cleaned ...'",
                    ]
                ])
            #expect(try bench.log("cancelled", of: builds[0]) == "oCtrl-C\n")
            #expect(try bench.log("stdio", of: builds[0], step: 2).contains("ocleaned up\n"))
        }
    }

    @Test func `a command that is stopped ends, and its step is cancelled`() async throws {
        let yaml = "steps: [steps.ShellCommand: 'echo begun; sleep 600']"
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run { master in
                try await master.events.withSubscription(to: [.logAppended], bound: 100) { lines in
                    async let builds = master.build()
                    for await case .event(let event) in lines
                    where event.record["content"]?.stringValue?.contains("begun") == true { break }
                    await master.stop(reason: "enough")
                    return try await builds
                }
            }
            #expect(builds.map(\.build.results) == [.cancelled])
            #expect(builds[0].steps.map(\.results) == [.cancelled])
        }
    }

    @Test func `a second stop ends the steps that always run, too`() async throws {
        let yaml = """
            steps:
              - steps.Play: {script: $hang, name: one}
              - steps.Play: {script: $hang, name: two, alwaysRun: true}
              - steps.Give: {result: success, name: three, alwaysRun: true}
            """
        let started = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "hang": { context in
                started.add(context.name)
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "first")
                await started.wait(for: 2)
                await master.stop(reason: "second")
                return try await builds
            }
            #expect(started.entries == ["one", "two"])
            #expect(
                builds[0].steps.map(\.stateString) == [
                    "finished (cancelled)", "finished (cancelled)",
                ])
            #expect(builds[0].build.stateString.hasPrefix("cancelled (first) "))
        }
    }

    @Test func `a step that always runs is not cancelled by the first stop`() async throws {
        let started = Journal<Void>()
        let stopped = Signal()
        let scripts: [String: Scripts.Script] = [
            "clean": { _ in
                started.add(())
                await stopped.wait()
                return Task.isCancelled ? .failure : .success
            }
        ]
        let yaml = "steps: [steps.Play: {script: $clean, alwaysRun: true}]"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "enough")
                stopped.raise()
                return try await builds
            }
            #expect(builds[0].build.results == .cancelled)
            #expect(builds[0].steps.map(\.results) == [.success])
        }
    }

    @Test func `a step that succeeds in spite of the stop keeps its result`() async throws {
        let started = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "stubborn": { _ in
                started.add(())
                do { try await neverEnd() } catch {}
                return .success
            }
        ]
        let yaml = "steps: [steps.Play: $stubborn, steps.Give: success]"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "enough")
                return try await builds
            }
            #expect(builds[0].outline == ["cancelled: cancelled (enough)", "Play: finished"])
        }
    }

    @Test func `pending builds are cancelled without a number`() async throws {
        let started = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                started.add(())
                try await neverEnd()
                return .success
            }
        ]
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $hang]}
              - {name: two, steps: [steps.Give: success]}
              - {name: three, steps: [steps.Give: success]}
            """
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let (builds, events) = try await bench.run(slots: 1) { master in
                try await master.events.withSubscription(
                    to: [.buildrequestCancelled, .buildrequestFinished, .buildsetFinished],
                    bound: 100
                ) { subscription in
                    async let builds = master.build()
                    await started.wait(for: 1)
                    await master.stop(reason: "enough")
                    var events: [EventKind] = []
                    for await case .event(let event) in subscription {
                        events.append(event.kind)
                        if event.kind == .buildsetFinished { break }
                    }
                    return (try await builds, events)
                }
            }
            #expect(builds.map(\.builder) == ["one"])
            #expect(events.count { $0 == .buildrequestCancelled } == 2)
            #expect(events.count { $0 == .buildrequestFinished } == 3)
            try bench.write("builders: [{name: two, steps: []}]")
            let next = try await bench.buildOne()
            #expect(next.build.number == 1)
        }
    }

    @Test func `after a stop nothing begins`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            let builds = try await bench.run { master in
                await master.stop(reason: "enough")
                return try await master.build()
            }
            #expect(builds.isEmpty)
        }
    }

    @Test func `what the body leaves running is stopped`() async throws {
        let started = Journal<Void>()
        let scripts: [String: Scripts.Script] = [
            "hang": { _ in
                started.add(())
                try await neverEnd()
                return .success
            }
        ]
        try await MasterBench.with("steps: [steps.Play: $hang]", scripts: scripts) { bench in
            try await bench.run { master in
                _ = try await master.submit(BuildsetRequest(reason: "test"))
                await started.wait(for: 1)
            }
            try bench.write("steps: []")
            let build = try await bench.buildOne()
            #expect(build.build.number == 2)
        }
    }

    @Test func `the end of the master is not a second stop`() async throws {
        let yaml = """
            steps:
              - steps.Play: {script: $hang, name: one}
              - steps.Play: {script: $clean, name: two, alwaysRun: true}
              - steps.Play: {script: $clean, name: three, alwaysRun: true}
            """
        let (started, cleaned) = (Journal<Void>(), Journal<String>())
        try await MasterBench.with(yaml, scripts: Self.cleaning(started, cleaned)) { bench in
            try await bench.run { master in
                _ = try await master.submit(BuildsetRequest(reason: "test"))
                await started.wait(for: 1)
                await master.stop(reason: "enough")
                await started.wait(for: 2)
            }
            #expect(cleaned.entries == ["two", "three"])
        }
    }

    @Test func `one stop is one stop of what a build has triggered, too`() async throws {
        let yaml = """
            builders:
              - {name: all, steps: [steps.Trigger: {builderNames: test, waitForFinish: true}]}
              - name: test
                triggeredOnly: true
                steps:
                  - steps.Play: {script: $hang, name: one}
                  - steps.Play: {script: $clean, name: two, alwaysRun: true}
                  - steps.Play: {script: $clean, name: three, alwaysRun: true}
            """
        let (started, cleaned) = (Journal<Void>(), Journal<String>())
        try await MasterBench.with(yaml, scripts: Self.cleaning(started, cleaned)) { bench in
            let builds = try await bench.run { master in
                async let builds = master.build()
                await started.wait(for: 1)
                await master.stop(reason: "enough")
                return try await builds + master.endServices()
            }
            #expect(builds.map(\.build.results) == [.cancelled, .cancelled])
            #expect(cleaned.entries == ["two", "three"])
        }
    }

    /// Scripts of a step that hangs, and of one that takes a moment to clean up.
    private static func cleaning(
        _ started: Journal<Void>, _ cleaned: Journal<String>
    ) -> [String: Scripts.Script] {
        [
            "hang": { _ in
                started.add(())
                try await neverEnd()
                return .success
            },
            "clean": { context in
                started.add(())
                try await Task.sleep(for: .milliseconds(200))
                cleaned.add(context.name)
                return .success
            },
        ]
    }

    @Test func `commands on the master are killed with those of its worker`() async throws {
        let yaml = "steps: [steps.MasterShellCommand: 'echo begun; exec sleep 600']"
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.run { master in
                try await master.events.withSubscription(to: [.logAppended], bound: 100) { lines in
                    async let builds = master.build()
                    for await case .event(let event) in lines
                    where event.record["content"]?.stringValue?.contains("obegun") == true { break }
                    master.abandonCommands()
                    return try await builds
                }
            }
            #expect(builds.map(\.build.results) == [.failure])
        }
    }
}
