import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Files with the sections `services`, `steps` and `secrets` of a master.yaml.
struct ConfigurationFixtureTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/Fixtures"

    @Test(arguments: try ConfigurationFixture.names(in: folder))
    func `every mistake of a file is said with its place`(_ name: String) throws {
        let fixture = try ConfigurationFixture(name, in: Self.folder)
        let found = ConfigurationFixture.words(Self.found(in: fixture.text, name: name))
        #expect(found == fixture.expected)
    }

    @Test func `there are files with and without mistakes`() throws {
        let counts = try ConfigurationFixture.names(in: Self.folder).map {
            try ConfigurationFixture($0, in: Self.folder).expected.count
        }
        #expect(counts.count > 10)
        #expect(counts.contains(0))
    }

    private static func found(in text: String, name: String) -> [Diagnostic] {
        let output = YAMLParser.parse(text, name: name)
        let decoder = SettingDecoder(registry: .standard, environment: ["HERE": "value"])
        decoder.add(output.diagnostics)
        if let services = output.root?.mapping?["services"] {
            _ = decoder.within(.service) { decoder.plugins(.reporters, from: services) }
        }
        if let steps = output.root?.mapping?["steps"] {
            _ = decoder.plugins(.steps, from: steps)
        }
        if let secrets = output.root?.mapping?["secrets"] {
            _ = decoder.within(.service) { decoder.plugins(.secrets, from: secrets) }
        }
        return decoder.diagnostics
    }
}
