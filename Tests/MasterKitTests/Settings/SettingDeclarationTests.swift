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

    private func description(_ name: String) throws -> SettingDescription {
        try #require(Sample.descriptions.first { $0.name == name })
    }

    @Test func `a description has the form of the values`() throws {
        guard case .computed(.text) = try description("url").form else {
            Issue.record("\(try description("url").form)")
            return
        }
        #expect(try description("mode").form.choices == ["fast", "thorough"])
        #expect(try description("verify").form.choices == ["true", "false"])
        let generators = ReporterOptions.descriptions.first { $0.name == "generators" }
        guard case .optional(.list(of: .plugin("generators"))) = generators?.form else {
            Issue.record("generators is a list of plugins")
            return
        }
    }

    @Test(arguments: [
        ("250ms", Duration.milliseconds(250)), ("30s", .seconds(30)), ("90s", .seconds(90)),
        ("20m", .seconds(1200)), ("2h", .seconds(7200)), ("1d", .seconds(86400)), ("0s", .zero),
    ])
    func `a duration is spelled as files spell it`(text: String, duration: Duration) {
        #expect(duration.settingSpelling == text)
        #expect(Duration(spelling: text) == duration)
    }

    @Test func `a description has the default, the example and the options of the kind`() throws {
        struct Described: Reporter {
            static let summary = "Is described."
            static var options: ReporterOptions {
                var options = ReporterOptions()
                options.name = "room"
                return options
            }
            @Setting("Where to.", .primary, .example("http://h/")) var url: Renderable<HTTPAddress>
            @Setting("How long.") var pause = Duration.seconds(30)
            @Setting("Which.") var results: [Results] = [.failure]
            @Setting("How.") var word = Renderable("plain")
            @Setting("Who.") var owner: String?
            func send(_ report: Report, in context: DeliveryContext) async throws {}
        }
        let registry = try Registry(PluginBundle(Described.self))
        let entry = try #require(registry["reporters.Described"])
        let found = entry.description
        #expect(found.summary == "Is described." && found.origin == "MasterKitTests")
        #expect(found.settings.map(\.name) == ["url", "pause", "results", "word", "owner"])
        #expect(
            found.settings.map(\.defaultValue) == [nil, "30s", ["failure"], "plain", nil])
        #expect(found.settings.map(\.example) == ["http://h/", nil, nil, nil, nil])
        #expect(found.options.first { $0.name == "name" }?.defaultValue == "room")
    }
}
