import MasterKit
import MasterTesting
import Testing

struct ConfigurationFixtureTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Fixtures"

    @Test func `there are fixtures, and each but one is wrong`() throws {
        let names = try ConfigurationFixture.names(in: Self.folder)
        #expect(names.count > 8)
        let right = try names.filter {
            try ConfigurationFixture($0, in: Self.folder).expected.isEmpty
        }
        #expect(right == ["right.yaml"])
    }

    @Test(arguments: try ConfigurationFixture.names(in: folder))
    func `a fixture gives the diagnostics that its lines tell`(name: String) throws {
        let fixture = try ConfigurationFixture(name, in: Self.folder)
        let found = ConfigurationFixture.words(try Self.found(in: fixture.text, name: name))
        #expect(found == fixture.expected)
    }

    @Test(arguments: try ConfigurationFixture.names(in: folder + "/Malformed"))
    func `a malformed expression is told with its exact range`(name: String) throws {
        let fixture = try ConfigurationFixture(name, in: Self.folder + "/Malformed")
        let found = try Self.found(in: fixture.text, name: name)
        #expect(ConfigurationFixture.words(found, tellsEnds: true) == fixture.expected)
    }

    private static func found(in text: String, name: String) throws -> [Diagnostic] {
        let output = YAMLParser.parse(text, name: name)
        let decoder = SettingDecoder(registry: try .sample(), environment: ["COUNT": "5"])
        decoder.add(output.diagnostics)
        if let root = output.root {
            _ = decoder.read(SampleConfiguration.self, from: root, owner: name, at: root.range)
        }
        return decoder.diagnostics
    }
}

/// The top level of the fixtures.
private struct SampleConfiguration: Settings {
    @Setting("Reporters.", declarations: .reporters)
    var services: [ReporterDeclaration]?
    @Setting("Steps.", declarations: .steps)
    var steps: [StepDeclaration]?
    @Setting("A text.") var title = "none"
}
