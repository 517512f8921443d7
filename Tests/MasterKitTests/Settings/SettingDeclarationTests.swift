import MasterKit
import Testing

struct SettingDeclarationTests {
    @Test func `settings are listed in their order, with those of groups`() {
        #expect(
            Sample.declarations.map(\.name) == [
                "url", "verify", "mode", "data", "labels", "token", "retry", "counts", "max_tries",
                "timeout",
            ])
    }

    private func declaration(_ name: String) throws -> SettingDeclaration {
        try #require(Sample.declarations.first { $0.name == name })
    }

    @Test func `a declaration tells all that is known of a setting`() throws {
        let url = try declaration("url")
        #expect(url.summary == "Where to.")
        #expect(url.shape == "an address such as http://127.0.0.1:9980/status")
        #expect(url.isPrimary && url.isRequired && !url.isSecret)
        #expect(try declaration("token").isSecret)
        #expect(try declaration("max_tries").aliases == ["tries"])
        #expect(try declaration("data").aliases == ["body"])
        #expect(try declaration("mode").shape == "one of fast, thorough")
        #expect(try declaration("retry").shape == "a mapping such as {attempts: 3}")
    }

    @Test func `only a setting without default that is not optional must be given`() {
        #expect(Sample.declarations.filter(\.isRequired).map(\.name) == ["url"])
        #expect(Plain.declarations.filter(\.isRequired).map(\.name) == ["count"])
        #expect(Announcer.declarations.allSatisfy { !$0.isRequired })
    }

    @Test func `settings that hold plugins say so`() {
        let generators = ReporterOptions.declarations.first { $0.name == "generators" }
        #expect(generators?.shape == "a list of generators")
        #expect(Announcer.declarations.last?.shape == "a plugin of formatters")
    }
}
