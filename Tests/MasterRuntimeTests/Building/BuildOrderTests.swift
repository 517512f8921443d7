import MasterKit
import MasterRuntime
import Testing

/// The order in which the builds of a request are listed.
struct BuildOrderTests {
    @Test func `builds are listed in the order of the request, not of their end`() async throws {
        let end = Signal()
        let scripts: [String: Scripts.Script] = [
            "last": { _ in
                await end.wait()
                return .success
            },
            "first": { _ in
                end.raise()
                return .success
            },
        ]
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $last]}
              - {name: two, steps: [steps.Play: $first]}
            """
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let all = try await bench.build(slots: 2)
            #expect(all.map(\.builder) == ["one", "two"])
        }
    }
}
