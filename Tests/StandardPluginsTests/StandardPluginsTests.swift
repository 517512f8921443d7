import FoundationEssentials
import MasterKit
import StandardPlugins
import Testing

struct StandardPluginsTests {
    /// The repository root.
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test func `the plugins are those of the documentation`() {
        #expect(
            Registry.standard.entries.map { "\($0.key)" } == [
                "changes.GitPoller", "factories.CMake", "factories.Python",
                "factories.SwiftPackage",
                "formatters.MessageFormatter", "formatters.MessageFormatterEmpty",
                "formatters.MessageFormatterFunction", "formatters.MessageFormatterFunctionRaw",
                "formatters.MessageFormatterRenderable", "generators.BuildRequestGenerator",
                "generators.BuildSetCombinedStatusGenerator", "generators.BuildSetStatusGenerator",
                "generators.BuildStartEndStatusGenerator", "generators.BuildStatusGenerator",
                "generators.StepStatusGenerator",
                "reporters.BitbucketServerStatusPush", "reporters.BitbucketStatusPush",
                "reporters.CloudEvents",
                "reporters.GitHubStatusPush", "reporters.GitLabStatusPush",
                "reporters.GiteaStatusPush",
                "reporters.HttpStatusPush", "reporters.MailNotifier",
                "schedulers.AnyBranchScheduler",
                "schedulers.Dependent", "schedulers.ForceScheduler",
                "schedulers.Nightly", "schedulers.Periodic", "schedulers.SingleBranchScheduler",
                "schedulers.Triggerable",
                "secrets.Command", "secrets.Environment",
                "secrets.File", "steps.Assert", "steps.BackgroundCommand", "steps.Compile",
                "steps.Configure",
                "steps.CopyDirectory", "steps.DELETE", "steps.DirectoryUpload",
                "steps.FileDownload", "steps.FileUpload",
                "steps.GET", "steps.Git", "steps.HEAD", "steps.HTTPStep",
                "steps.JSONStringDownload",
                "steps.LogRenderable", "steps.MakeDirectory", "steps.MasterShellCommand",
                "steps.OPTIONS", "steps.PATCH", "steps.POST", "steps.PUT",
                "steps.RemoveDirectory", "steps.SetProperties", "steps.SetPropertiesFromJSON",
                "steps.SetProperty", "steps.SetPropertyFromCommand", "steps.ShellCommand",
                "steps.ShellSequence", "steps.StopBackgroundCommand", "steps.StringDownload",
                "steps.Test", "steps.Trigger", "workers.Local", "workers.Worker",
            ])
    }

    @Test(arguments: Registry.standard.entries.map(\.key))
    func `a plugin is in the folder of its namespace, and its tests have its name`(
        _ key: PluginKey
    ) throws {
        let namespace = key.namespace.rawValue
        let folder = namespace.prefix(1).uppercased() + namespace.dropFirst()
        let type = try #require(Registry.standard[key]?.type)
        let sources = Self.root.appending(path: "Plugins/\(folder)")
        let tests = Self.root.appending(
            path: "Tests/StandardPluginsTests/\(folder)/\(key.name)Tests.swift")
        let declaring = try FileManager.default.contentsOfDirectory(atPath: sources.path)
            .filter { $0.hasSuffix(".swift") }.filter { name in
                try String(contentsOf: sources.appending(path: name), encoding: .utf8)
                    .contains("struct \(type): ")
            }
        #expect(declaring.count == 1)
        #expect(
            try String(contentsOf: tests, encoding: .utf8).contains("struct \(key.name)Tests {"))
    }

    /// The pages for users, as one text.
    private static let pages: String = {
        do {
            let folder = root.appending(path: "Sources/MasterKit/MasterKit.docc")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return try names.filter { $0.hasSuffix(".md") }
                .map { try String(contentsOf: folder.appending(path: $0), encoding: .utf8) }
                .joined()
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    @Test(arguments: Registry.standard.entries.map(\.key))
    func `a plugin and each of its settings is on a page`(_ key: PluginKey) throws {
        let type = try #require(Registry.standard[key]?.type)
        #expect(Self.pages.contains(key.name))
        for setting in type.declarations {
            #expect(
                Self.pages.contains("`\(setting.name)`") || Self.pages.contains("\(setting.name):"),
                "\(setting.name)")
        }
    }

    @Test(arguments: Registry.standard.entries.map(\.key))
    func `a plugin and each of its settings is explained in a sentence`(_ key: PluginKey) throws {
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
