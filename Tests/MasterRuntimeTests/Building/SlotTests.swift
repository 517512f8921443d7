import MasterKit
import MasterRuntime
import Testing

/// The number of concurrent builds.
struct SlotTests {
    @Test(arguments: [1, 2, 3])
    func `never more builds run than there are slots`(_ slots: Int) async throws {
        let names = (1...6).map { "b\($0)" }
        let builders = names.map { "  - {name: \($0), steps: [steps.Play: $count]}" }
        let running = ConcurrencyCount()
        let scripts: [String: Scripts.Script] = [
            "count": { _ in
                await running.counting { for _ in 1...50 { await Task.yield() } }
                return .success
            }
        ]
        let yaml = "builders:\n" + builders.joined(separator: "\n")
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(slots: slots)
            #expect(Set(builds.map(\.builder)) == Set(names))
            let most = running.most
            #expect(most <= slots)
            if slots == 1 { #expect(builds.map(\.builder) == names) }
        }
    }

    @Test func `two builders run side by side`() async throws {
        let (one, two) = (Signal(), Signal())
        let scripts: [String: Scripts.Script] = [
            "one": { _ in
                one.raise()
                await two.wait()
                return .success
            },
            "two": { _ in
                two.raise()
                await one.wait()
                return .success
            },
        ]
        let yaml = """
            builders:
              - {name: one, steps: [steps.Play: $one]}
              - {name: two, steps: [steps.Play: $two]}
            """
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            let builds = try await bench.build(slots: 2)
            #expect(builds.map(\.build.results) == [.success, .success])
        }
    }

    @Test func `without a name all run but those that are triggered only`() async throws {
        let yaml = """
            builders:
              - {name: one, steps: []}
              - {name: two, steps: [], triggeredOnly: true}
              - {name: three, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            let builds = try await bench.build(slots: 1)
            #expect(builds.map(\.builder) == ["one", "three"])
            let named = try await bench.build(["two", "two"])
            #expect(named.map(\.builder) == ["two"])
        }
    }

    @Test(arguments: [
        (["thre"], "there is no builder 'thre'; did you mean 'three'?"),
        (["x"], "there is no builder 'x'; there is only 'three'"),
        (nil, "all builders are 'triggeredOnly'; name the one to be run"),
    ])
    func `a request that names no builder is refused`(
        _ names: [String]?, _ message: String
    ) async throws {
        let yaml = "builders: [{name: three, steps: [], triggeredOnly: true}]"
        try await MasterBench.with(yaml) { bench in
            let error = await #expect(throws: MasterError.self) { try await bench.build(names) }
            #expect(error?.message == message)
        }
    }
}
