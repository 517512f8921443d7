import FoundationEssentials
import MasterKit
import StandardPlugins
import Testing

struct EnvironmentTests {
    private var variable: (name: String, value: String) {
        get throws {
            let found = ProcessInfo.processInfo.environment.first { entry in
                entry.key.count > 1 && !entry.value.isEmpty
            }
            let entry = try #require(found)
            return (entry.key, entry.value)
        }
    }

    @Test func `the key in master.yaml is secrets.Environment`() {
        #expect(EnvironmentSecrets.key == PluginKey("secrets", "Environment"))
    }

    @Test func `a secret is the variable of its name`() async throws {
        let (name, value) = try variable
        let provider = try EnvironmentSecrets.configured()
        #expect(try await provider.value(of: name, in: .here) == value)
        #expect(try await provider.value(of: "NO_SUCH_VARIABLE_HERE", in: .here) == nil)
    }

    @Test func `where it looks is told, and what differs only in case`() throws {
        let absent = try EnvironmentSecrets.configured(["prefix": "CI_"])
        #expect(absent.place(ofSecret: "no_such") == "variable CI_no_such")
        let provider = try EnvironmentSecrets.configured(["prefix": "PA"])
        #expect(provider.place(ofSecret: "th") == "variable PAth; there is PATH")
        #expect(provider.place(ofSecret: "TH") == "variable PATH")
    }

    @Test func `the prefix stands before the name`() async throws {
        let (name, value) = try variable
        let provider = try EnvironmentSecrets.configured(["prefix": .string(String(name.prefix(1)))]
        )
        #expect(try await provider.value(of: String(name.dropFirst()), in: .here) == value)
    }
}
