import MasterKit
import Testing

struct RegistryTests {
    @Test func `entries are sorted by namespace and name`() throws {
        let registry = try Registry.sample()
        #expect(
            registry.entries.map(\.key.description) == [
                "formatters.OneLine", "generators.Finished", "reporters.Announcer",
                "steps.Grasping", "steps.Muddled", "steps.Sample", "steps.Simple",
            ])
        #expect(registry.entries(in: "generators").map(\.key.name) == ["Finished"])
        #expect(registry.entries(in: "secrets").isEmpty)
        #expect(registry.entries.allSatisfy { $0.origin == "MasterKitTests" })
    }

    @Test func `a plugin is found by its key`() throws {
        let registry = try Registry.sample()
        #expect(registry[PluginKey("steps", "Sample")]?.type == Sample.self)
        #expect(registry["steps.Simple"]?.type == Plain.self)
    }

    @Test(arguments: [
        "", ".", "steps", "steps.", ".Sample", "steps.sample", "Steps.Sample", "steps.Plain",
        "reporters.Sample", "schedulers.Nightly", "steps.Sample.more",
    ])
    func `nothing is found by any other text`(text: String) throws {
        #expect(try Registry.sample()[text] == nil)
    }

    @Test func `a key twice is an error that names both origins`() {
        let one = PluginBundle(Sample.self, origin: "One")
        let other = PluginBundle([Plain.self, Sample.self], origin: "plugins/Other")
        let error = #expect(throws: Registry.DuplicateKey.self) { try Registry(one, other) }
        #expect(error?.key == PluginKey("steps", "Sample"))
        #expect(error?.origins == ["One", "plugins/Other"])
        #expect(
            error?.description
                == "the plugin key steps.Sample is claimed twice, by One and by plugins/Other; "
                + "give one of them another pluginName")
    }

    @Test func `an empty registry knows nothing`() throws {
        #expect(try Registry().entries.isEmpty)
        #expect(Registry.empty["steps.Sample"] == nil)
    }

    @Test func `the name of a plugin is its type's unless it says otherwise`() {
        #expect(Sample.key == PluginKey("steps", "Sample"))
        #expect(Plain.key.description == "steps.Simple")
        #expect(Announcer.namespace == "reporters")
    }
}
