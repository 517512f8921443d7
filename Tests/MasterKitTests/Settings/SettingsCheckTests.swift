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
}
