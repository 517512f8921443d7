import MasterKit
import MasterRuntime
import Testing

/// When plugins start and stop.
struct PluginLifeTests {
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
