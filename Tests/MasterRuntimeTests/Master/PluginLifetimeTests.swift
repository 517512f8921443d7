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
            #expect(error?.message == "reporters.LivelyReporter could not start: no chair")
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

    @Test func `a provider of secrets that can't start is an error at its place`() async throws {
        try await MasterBench.with(
            Self.yaml, plugins: Self.plugins,
            listener: { if $0 == "secrets.LivelySecrets starts" { throw Broken() } }
        ) { bench in
            let error = await #expect(throws: ConfigurationError.self) { try await bench.build() }
            #expect(
                error?.diagnostics.map(\.message) == [
                    "secrets.LivelySecrets could not start: no chair"
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
