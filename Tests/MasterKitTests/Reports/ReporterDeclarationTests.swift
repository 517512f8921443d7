import MasterKit
import Testing

struct ReporterDeclarationTests {
    private func declarations(_ text: String) throws -> [ReporterDeclaration] {
        let decoder = SettingDecoder(registry: try .sample(), scope: .service)
        let root = try #require(YAMLParser.parse(text, name: "test").root)
        let found = decoder.plugins(.reporters, from: root)
        #expect(decoder.diagnostics.isEmpty)
        return try #require(found)
    }

    @Test func `a reporter has its class name and its own generators by default`() throws {
        let reporter = try #require(try declarations("[reporters.Announcer]").first)
        #expect(reporter.name == "Announcer")
        #expect(reporter.generators.count == 1)
        #expect(reporter.generators.first is EveryBuildGenerator)
        #expect(reporter.plugin.defaultFormatter is RecordFormatter)
    }

    @Test func `the file names a reporter and its generators`() throws {
        let reporter = try #require(
            try declarations(
                """
                - reporters.Announcer:
                    name: chat
                    generators:
                      - generators.Finished: {results: [success]}
                      - generators.Finished
                """
            ).first)
        #expect(reporter.name == "chat")
        let results = reporter.generators.map { ($0 as? Finished)?.results }
        #expect(results == [[.success], [.failure]])
    }
}
