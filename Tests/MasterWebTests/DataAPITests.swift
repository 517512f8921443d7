import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

struct DataAPITests {
    @Test func `builders are listed, and found by id and name`() async throws {
        try await withMaster(
            "builders: [{name: one, steps: [steps.ShellCommand: {command: 'true'}]}]"
        ) { master, api in
            let done = try await master.submit(BuildsetRequest(reason: "test"))
            _ = try await master.wait(for: done)
            let all = try await api.get("builders")
            #expect(all["builders"]?[0]?["name"] == "one")
            #expect(all["meta"] == ["total": 1])
            #expect(try await api.get("builders/1") == (try await api.get("builders/one")))
            let builds = try await api.get("builders/one/builds?order=-number&limit=5")
            #expect(builds["builds"]?[0]?["results"] == 0)
        }
    }
}
