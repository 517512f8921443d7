import MasterKit
import MasterTesting
import Testing

@testable import MasterRuntime

/// When plugins start and stop.
@Suite(.timeLimit(.minutes(1)))
struct PluginLifetimeTests {
    private static let plugins: [any Plugin.Type] = [
        LivelyStep.self, LivelyReporter.self, LivelyGenerator.self, LivelyFormatter.self,
        LivelySecrets.self,
    ]

    private static let yaml = """
        secrets: [secrets.LivelySecrets: $listener]
        services:
          - reporters.LivelyReporter:
              script: $listener
              generators:
                - generators.LivelyGenerator:
                    script: $listener
                    formatter: {formatters.LivelyFormatter: $listener}
        factories:
          shared: [steps.LivelyStep: $listener]
        builders:
          - {name: one, factory: shared}
          - {name: two, factory: shared}
          - {name: three, steps: [steps.SetProperty: {property: p, value: !Secret token}]}
        """

    struct Broken: Error, CustomStringConvertible {
        let description = "no chair"
    }

    @Test func `they start before the first build and stop after the last, in reverse`()
        async throws
    {
        let life = Journal<String>()
        try await MasterBench.with(
            Self.yaml, plugins: Self.plugins, listener: { life.add($0) }
        ) { bench in
            _ = try await bench.build(slots: 1)
            #expect(
                life.entries == [
                    "secrets.LivelySecrets starts", "secrets.LivelySecrets is asked",
                    "secrets.LivelySecrets stops",
                    "formatters.LivelyFormatter starts", "generators.LivelyGenerator starts",
                    "reporters.LivelyReporter starts", "steps.LivelyStep starts",
                    "steps.LivelyStep runs", "steps.LivelyStep runs",
                    "steps.LivelyStep stops", "reporters.LivelyReporter stops",
                    "generators.LivelyGenerator stops", "formatters.LivelyFormatter stops",
                ])
        }
    }

    @Test func `one that can't start is stopped, and named in the error`() async throws {
        let life = Journal<String>()
        try await MasterBench.with(
            Self.yaml, plugins: Self.plugins,
            listener: { what in
                life.add(what)
                if what == "reporters.LivelyReporter starts" { throw Broken() }
            }
        ) { bench in
            let error = await #expect(throws: MasterError.self) { try await bench.build() }
            #expect(error?.code == .plugin)
            #expect(
                error?.message == "reporters.LivelyReporter in line 3 could not start: no chair")
            #expect(
                life.entries.suffix(5) == [
                    "generators.LivelyGenerator starts", "reporters.LivelyReporter starts",
                    "reporters.LivelyReporter stops", "generators.LivelyGenerator stops",
                    "formatters.LivelyFormatter stops",
                ])
        }
    }

    @Test func `one that does not start is left behind after a time, and named in the error`()
        async throws
    {
        let clock = ManualClock()
        let life = PluginLifetime(clock: clock) { _ in }
        let instance = PluginInstance(Stuck.key, try Stuck.configured("start"))
        let error = await withTaskGroup(of: MasterError?.self) { group in
            group.addTask {
                do throws(MasterError) {
                    _ = try await life.start([instance])
                    return nil
                } catch {
                    return error
                }
            }
            await clock.waitForSleep(until: PluginLifetime.startLimit)
            clock.advance(by: PluginLifetime.startLimit)
            return await group.next() ?? nil
        }
        #expect(error?.code == .plugin)
        #expect(error?.message == "reporters.Stuck could not start: it took longer than 60 seconds")
    }

    @Test func `one that does not stop is left behind after a time, and the others stop`()
        async throws
    {
        let (clock, warnings, life) = (ManualClock(), Journal<String>(), Journal<String>())
        let plugins = PluginLifetime(clock: clock) { warnings.add($0) }
        try await MasterBench.with("", listener: { life.add($0) }) { bench in
            let listener = SettingLiteral.string("\(bench.id)-listener")
            let instances = [
                PluginInstance(LivelyReporter.key, try LivelyReporter.configured(listener)),
                PluginInstance(Stuck.key, try Stuck.configured("stop")),
            ]
            async let run: Void = plugins.run(instances) {}
            await clock.waitForSleep(until: PluginLifetime.stopLimit)
            clock.advance(by: PluginLifetime.stopLimit)
            try await run
        }
        #expect(
            warnings.entries == [
                "reporters.Stuck could not be stopped: it took longer than 10 seconds"
            ])
        #expect(
            life.entries == [
                "reporters.LivelyReporter starts", "reporters.LivelyReporter stops",
            ])
    }

    @Test func `each of several has its own time to start, and none starts after one that failed`()
        async throws
    {
        let (clock, begun) = (ManualClock(), Slow.begun)
        let life = PluginLifetime(clock: clock) { _ in }
        let instances = try (0..<4).map { PluginInstance(Slow.key, try Slow.configured(.int($0))) }
        let start = Task { () -> MasterError? in
            do throws(MasterError) {
                _ = try await life.start(instances)
                return nil
            } catch {
                return error
            }
        }
        // Two that take forty seconds each, and one that takes longer than a minute.
        let step: Duration = .seconds(40)
        for count in 1...2 {
            await begun.wait(for: count)
            clock.advance(by: step)
            Slow.mayStart.add(())
        }
        await begun.wait(for: 3)
        clock.advance(by: PluginLifetime.startLimit)
        let error = await start.value
        #expect(error?.message == "reporters.Slow could not start: it took longer than 60 seconds")
        Slow.mayStart.add(())
        await Slow.started.wait(for: 3)
        #expect(begun.entries == [0, 1, 2])
        #expect(Slow.stopped.entries == [2, 1, 0])
    }

    @Test func `a plugin that does not start keeps no other change of the file waiting`()
        async throws
    {
        let steps = "steps: [steps.Give: success]\n"
        try await MasterBench.with(steps, plugins: [Stuck.self]) { bench in
            try await bench.run { master in
                let clock = ManualClock()
                let running = RunningConfiguration(master.environment, clock: clock)
                let before = try bench.configuration()
                try bench.write("services: [reporters.Stuck: start]\n" + steps)
                let stuck = try bench.configuration()
                let change = Task {
                    try await running.change(to: stuck, SecretValues()) { _ in
                    } settle: { _ in
                    }
                }
                await clock.waitForSleep(until: PluginLifetime.startLimit)
                let busy = await #expect(throws: MasterError.self) {
                    try await running.change(to: before, SecretValues()) { _ in
                    } settle: { _ in
                    }
                }
                #expect(busy?.code == .busy)
                clock.advance(by: PluginLifetime.startLimit)
                let error = await #expect(throws: MasterError.self) { try await change.value }
                #expect(error?.code == .plugin)
                #expect(running.current.number == 1)
                _ = try await running.change(to: before, SecretValues()) { _ in
                } settle: { _ in
                }
                #expect(running.current.number == 2)
            }
        }
    }

    // MARK: Reconfiguration

    private static let plain = "steps: [steps.SetProperty: {property: p, value: 1}]\n"

    @Test func `a service that ends keeps its plugin until then, whatever build ends meanwhile`()
        async throws
    {
        let (life, gate) = (Journal<String>(), Journal<Void>())
        let old = """
            services: [services.Leaver: $listener]
            steps: [steps.Play: $wait]
            """
        try await MasterBench.with(
            old,
            scripts: [
                "wait": { _ in
                    life.add("builds")
                    await gate.wait(for: 1)
                    return .success
                }
            ], plugins: [Leaver.self], listener: { life.add($0) }
        ) { bench in
            try await bench.run { master in
                async let builds = master.build()
                await life.wait(for: 2)
                let change = Task { try await bench.reconfigure(master, Self.plain) }
                #expect(await life.wait(for: 3).last == "leaves")
                gate.add(())
                _ = try await builds
                // One that begins with the new configuration ends after the old one has.
                _ = try await master.build()
                #expect(life.entries.last == "leaves")
                Leaver.mayLeave.add(())
                #expect(try await change.value.services.removed == ["Leaver"])
                #expect(life.entries.suffix(2) == ["has left", "services.Leaver stops"])
            }
        }
    }

    @Test func `a step that is slow to stop holds up no other build`() async throws {
        let (life, gate) = (Journal<String>(), Journal<Void>())
        try await MasterBench.with(
            "steps: [steps.Play: $wait, steps.SlowToStop: $listener]\n",
            scripts: [
                "wait": { _ in
                    life.add("builds")
                    await gate.wait(for: 1)
                    return .success
                }
            ], plugins: [SlowToStop.self], listener: { life.add($0) }
        ) { bench in
            try await bench.run(slots: 1) { master in
                async let first = master.build()
                await life.wait(for: 1)
                _ = try await bench.reconfigure(master, Self.plain)
                gate.add(())
                let second = try await master.build()
                #expect(second.map(\.build.results) == [.success])
                #expect(try await first.map(\.build.results) == [.success])
                #expect(await life.wait(for: 2).last == "stops")
                SlowToStop.mayStop.add(())
                await life.wait(for: 3)
            }
            #expect(life.entries == ["builds", "stops", "has stopped"])
            #expect(!bench.messages.texts.contains { $0.contains("could not be stopped") })
        }
    }

    @Test func `a build begins only with the configuration in force`() async throws {
        try await MasterBench.with(Self.plain) { bench in
            try await bench.run { master in
                let running = RunningConfiguration(master.environment)
                let old = running.current
                _ = try await running.change(to: old.configuration, SecretValues()) { _ in
                } settle: { _ in
                }
                #expect(!running.beginBuild(with: old))
                #expect(running.beginBuild(with: running.current))
            }
        }
    }

    @Test func `a provider of secrets that can't start is an error at its place`() async throws {
        try await MasterBench.with(
            Self.yaml, plugins: Self.plugins,
            listener: { if $0 == "secrets.LivelySecrets starts" { throw Broken() } }
        ) { bench in
            let error = await #expect(throws: ConfigurationError.self) { try await bench.build() }
            #expect(
                error?.diagnostics.map(\.message) == [
                    "secrets.LivelySecrets in line 1 could not start: no chair"
                ])
            #expect(error?.diagnostics.first?.range?.start.line == 1)
        }
    }
}

/// A reporter that neither starts nor stops when it is to, whatever is asked of it.
private struct Stuck: Reporter {
    static let summary = "Gets stuck."

    @Setting("Where it gets stuck.", .primary) var place: String

    func start() async throws {
        if place == "start" { await Journal<Void>().wait(for: 1) }
    }

    func stop() async {
        if place == "stop" { await Journal<Void>().wait(for: 1) }
    }

    func send(_ report: Report, in context: DeliveryContext) async throws {}
}

/// A reporter that starts when it may, one after another.
private struct Slow: Reporter {
    static let summary = "Takes its time to start."
    static let begun = Journal<Int>()
    static let mayStart = Journal<Void>()
    static let started = Journal<Int>()
    static let stopped = Journal<Int>()

    @Setting("Its place among the others.", .primary) var place: Int

    func start() async throws {
        Self.begun.add(place)
        await Self.mayStart.wait(for: place + 1)
        Self.started.add(place)
    }

    func stop() async { Self.stopped.add(place) }

    func send(_ report: Report, in context: DeliveryContext) async throws {}
}

/// A service that only ends when it may.
private struct Leaver: MasterService, Lively {
    static let summary = "Takes its time to leave."
    static let mayLeave = Journal<Void>()

    @Setting("Who is told.", .primary) var script: String

    var wantedEvents: Set<EventKind> { [.buildNew] }

    func run(in context: ServiceContext) async throws {
        for await _ in context.events {}
        try await Scripts.all.note(script, "leaves")
        await Self.mayLeave.wait(for: 1)
        try await Scripts.all.note(script, "has left")
    }
}

/// A step whose plugin only stops when it may.
private struct SlowToStop: Step {
    static let summary = "Takes its time to stop."
    static let mayStop = Journal<Void>()

    @Setting("Who is told.", .primary) var script: String

    func run(in context: StepContext) async throws -> Results { .success }

    func stop() async {
        try? await Scripts.all.note(script, "stops")
        await Self.mayStop.wait(for: 1)
        try? await Scripts.all.note(script, "has stopped")
    }
}
