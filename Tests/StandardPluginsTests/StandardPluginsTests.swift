import FoundationEssentials
import MasterKit
import StandardPlugins
import Testing

struct StandardPluginsTests {
    /// The folder of the package.
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `the plugins are those of the documentation`() {
        #expect(
            Registry.standard.entries.map { "\($0.key)" } == [
                "formatters.MessageFormatter", "formatters.MessageFormatterEmpty",
                "formatters.MessageFormatterFunction", "formatters.MessageFormatterFunctionRaw",
                "formatters.MessageFormatterRenderable", "generators.BuildRequestGenerator",
                "generators.BuildSetCombinedStatusGenerator", "generators.BuildSetStatusGenerator",
                "generators.BuildStartEndStatusGenerator", "generators.BuildStatusGenerator",
                "generators.StepStatusGenerator",
                "reporters.HttpStatusPush", "secrets.Command", "secrets.Environment",
                "secrets.File", "steps.DELETE", "steps.GET",
                "steps.HEAD", "steps.HTTPStep", "steps.OPTIONS", "steps.PATCH", "steps.POST",
                "steps.PUT", "steps.SetProperty", "steps.SetPropertyFromCommand",
                "steps.ShellCommand",
            ])
    }

    @Test(arguments: Registry.standard.entries.map(\.key))
    func `the path of a plugin and of its tests is its name`(_ key: PluginKey) throws {
        let namespace = key.namespace.rawValue
        let folder = namespace.prefix(1).uppercased() + namespace.dropFirst()
        let type = try #require(Registry.standard[key]?.type)
        let source = Self.root.appending(path: "Plugins/\(folder)/\(key.name).swift")
        let tests = Self.root.appending(
            path: "Tests/StandardPluginsTests/\(folder)/\(key.name)Tests.swift")

        #expect(try String(contentsOf: source, encoding: .utf8).contains("struct \(type): "))
        #expect(
            try String(contentsOf: tests, encoding: .utf8).contains("struct \(key.name)Tests {"))
    }

    @Test(arguments: Registry.standard.entries.map(\.key))
    func `a plugin and each of its settings is explained in a sentence`(
        _ key: PluginKey
    ) throws {
        let type = try #require(Registry.standard[key]?.type)
        #expect(type.summary.hasSuffix("."))
        #expect(type.summary.count <= 100)
        for setting in type.declarations {
            #expect(setting.summary.hasSuffix("."), "\(setting.name)")
        }
    }

    @Test func `a plugin comes from the module of the standard plugins`() {
        #expect(Set(Registry.standard.entries.map(\.origin)) == ["StandardPlugins"])
    }
}
