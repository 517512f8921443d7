import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

struct ConfigurationFixtureTests {
    static let folder =
        #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() + "/Fixtures"

    @Test(arguments: try ConfigurationFixture.names(in: folder))
    func `a file is told all its mistakes, in the order of their places`(name: String) throws {
        let fixture = try ConfigurationFixture(name, in: Self.folder)
        let loaded = MasterConfiguration.load(
            path: fixture.path, registry: .standard, environment: [:])
        #expect(ConfigurationFixture.words(loaded.diagnostics) == fixture.expected)
        let hasError = loaded.diagnostics.contains { $0.severity == .error }
        #expect((loaded.configuration == nil) == hasError)
        let offsets = loaded.diagnostics.map { $0.range?.start.offset ?? 0 }
        #expect(offsets == offsets.sorted())
    }

    @Test func `there are fixtures`() throws {
        #expect(try ConfigurationFixture.names(in: Self.folder).count > 20)
    }
}
