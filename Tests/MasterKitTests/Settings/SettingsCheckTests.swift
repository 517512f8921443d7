import MasterKit
import Testing

struct SettingsCheckTests {
    private func places(_ entry: String) throws -> [String] {
        let decoder = SettingDecoder(registry: try .sample())
        let root = try #require(YAMLParser.parse(entry, name: "test").root)
        _ = decoder.plugin(.steps, from: root)
        return decoder.diagnostics.map {
            "\($0.range?.start.description ?? "-"): \($0.severity.rawValue): \($0.message)"
        }
    }

    @Test func `an error stands at the value of its setting`() throws {
        #expect(
            try places("steps.Sample:\n  verify: true\n  url: http://forbidden/")
                == ["3:8: error: this address is forbidden"])
    }

    @Test func `an error about a lone value stands at the value`() throws {
        #expect(
            try places("steps.Sample: http://forbidden/")
                == ["1:15: error: this address is forbidden"])
    }

    @Test func `an error about a setting that is not given stands at the plugin`() throws {
        #expect(
            try places("\nsteps.Sample:\n  url: http://h/\n  mode: thorough")
                == ["2:1: error: 'thorough' needs 'timeout'"])
    }

    @Test func `a warning leaves the plugin in use`() throws {
        let text = "{steps.Sample: {url: http://h/, labels: [a], verify: false}}"
        #expect(try places(text) == ["1:46: warning: 'labels' has no effect without 'verify'"])
        let decoder = SettingDecoder(registry: try .sample())
        let root = try #require(YAMLParser.parse(text, name: "test").root)
        #expect(decoder.plugin(.steps, from: root) != nil)
        #expect(!decoder.hasErrors)
    }

    @Test func `a wrong setting hides no other mistake, and leads to none`() throws {
        let found = try places("steps.Sample: {url: http://forbidden/, verify: no, labels: [a]}")
        #expect(
            found == [
                "1:48: error: 'verify' of steps.Sample must be true or false; 'no' is a text in "
                    + "YAML 1.2, write false",
                "1:21: error: this address is forbidden",
            ])
    }

    @Test func `a plugin that lacks a setting is not asked`() throws {
        let found = try places("steps.Sample: {mode: thorough}")
        #expect(
            found == [
                "1:1: error: steps.Sample needs 'url', an address such as "
                    + "http://127.0.0.1:9980/status"
            ])
    }

    @Test func `the check of each group is called, also of one in a group`() throws {
        let decoder = SettingDecoder(registry: try Registry(PluginBundle([Grouped.self])))
        let text = "steps.Grouped: {inner: 1, outer: 1, own: 1}"
        let root = try #require(YAMLParser.parse(text, name: "test").root)
        _ = decoder.plugin(.steps, from: root)
        #expect(
            Set(decoder.diagnostics.map(\.message)) == ["own is 1", "outer is 1", "inner is 1"])
        #expect(decoder.diagnostics.count == 3)
    }

    @Test func `a wrong setting hides only what a group says about it`() throws {
        let decoder = SettingDecoder(registry: try Registry(PluginBundle([Grouped.self])))
        let text = "steps.Grouped: {inner: x, outer: 1, own: 1}"
        let root = try #require(YAMLParser.parse(text, name: "test").root)
        _ = decoder.plugin(.steps, from: root)
        let messages = decoder.diagnostics.map(\.message)
        #expect(messages.count == 3)
        #expect(messages.suffix(2).allSatisfy { ["own is 1", "outer is 1"].contains($0) })
    }
}

private struct Inner: Settings {
    @Setting("A number.") var inner = 0

    func check(_ settings: SettingsCheck) {
        if inner == 1 { settings.error("inner is 1", at: "inner") }
    }
}

private struct Outer: Settings {
    @Setting("A number.") var outer = 0
    @SettingGroup var nested: Inner

    func check(_ settings: SettingsCheck) {
        if outer == 1 { settings.error("outer is 1", at: "outer") }
    }
}

private struct Grouped: Step {
    static let summary = "Has groups."

    @SettingGroup var group: Outer
    @Setting("A number.") var own = 0

    func check(_ settings: SettingsCheck) {
        if own == 1 { settings.error("own is 1", at: "own") }
    }

    func run(in context: StepContext) async throws -> Results { .success }
}
