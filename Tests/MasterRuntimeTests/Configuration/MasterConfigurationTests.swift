import MasterKit
import OrderedCollections
import StandardPlugins
import Testing

@testable import MasterRuntime

/// The result of loading a valid file.
struct MasterConfigurationTests {
    private static let folder = ConfigurationFixtureTests.folder

    private static func everything() throws -> MasterConfiguration {
        let loaded = MasterConfiguration.load(
            path: "\(folder)/everything.yaml", registry: .standard, environment: [:])
        return try #require(loaded.configuration)
    }

    @Test func `the top level is read`() throws {
        let configuration = try Self.everything()
        #expect(configuration.folder == Self.folder)
        #expect(configuration.identity.title == "Everything")
        #expect(configuration.identity.titleURL == "http://example.org/")
        #expect(configuration.identity.buildbotURL == "http://localhost:8010/")
        #expect(
            configuration.properties
                == Properties(
                    [
                        "config": "debug", "jobs": 4, "versions": ["3.9", "3.10"], "empty": nil,
                    ], source: "master.yaml"))
        #expect(configuration.reporters.map(\.name) == ["HttpStatusPush", "second"])
        #expect(configuration.secretProviders.map(\.key.name) == ["Environment"])
        #expect(configuration.secretUses.map(\.name) == ["password"])
        #expect(configuration.httpSession == .shared)
        #expect(configuration.durability == .power)
    }

    @Test func `builders have the steps of their own, of a factory, or of the top level`() throws {
        let builders = try Self.everything().builders
        #expect(
            builders.map { "\($0.name): \($0.steps.map(\.key.name).joined(separator: " "))" } == [
                "default steps: ShellCommand SetProperty", "own steps: ", "plain: ShellCommand",
                "tuned: ShellCommand", "py3.9-linux: ShellCommand", "py3.10-linux: ShellCommand",
                "py3.10-mac: ShellCommand", "py3.9-windows: ShellCommand",
            ])
    }

    @Test func `a builder has all that is written`() throws {
        let builder = try Self.everything().builders[1]
        #expect(builder.tags == ["fast", "linux"])
        #expect(builder.description == "Runs steps of its own.")
        #expect(builder.isTriggeredOnly)
        #expect(builder.workdir?.constant == "sub/folder")
        let expected = CommandEnvironment(["PATH": "/opt/bin:/usr/bin", "LANG": nil])
        #expect(builder.environment.constant == expected)
        #expect(builder.properties == Properties(["config": "release"], source: "Builder"))
    }

    @Test func `parameters of a factory and axes of a matrix are properties`() throws {
        let builders = try Self.everything().builders
        #expect(builders[3].properties["level"] == 1)
        #expect(builders[3].properties.entries["mode"] == .init(value: "fast", source: "Factory"))
        #expect(
            builders[4].properties
                == Properties(["python": "3.9", "os": "linux"], source: "Builder"))
    }

    @Test func `without builders there is one that runs the steps`() async throws {
        try await MasterBench.with("steps: [steps.Give: success]") { bench in
            let configuration = try bench.configuration()
            #expect(configuration.builders.map(\.name) == ["default"])
            #expect(configuration.builders[0].steps.map(\.key.name) == ["Give"])
            #expect(configuration.identity.title == "Buildmaster")
            #expect(configuration.durability == .process)
            #expect(configuration.httpSession == .build)
        }
    }

    @Test func `a file that is not there is one error without a trace`() {
        let loaded = MasterConfiguration.load(
            path: "/nowhere/master.yaml", registry: .standard, environment: [:])
        #expect(loaded.configuration == nil)
        #expect(loaded.diagnostics.count == 1)
        let said = loaded.diagnostics.first.map { "\($0)" } ?? ""
        #expect(said.hasPrefix("/nowhere/master.yaml: error: "))
    }

    @Test func `an environment variable is read once, at load`() async throws {
        let yaml = """
            title: !Env TITLE
            properties: {user: !Env {name: NAME, default: nobody}}
            steps: []
            """
        try await MasterBench.with(yaml, environment: ["TITLE": "Mine"]) { bench in
            let configuration = try bench.configuration()
            #expect(configuration.identity.title == "Mine")
            #expect(configuration.properties["user"] == "nobody")
        }
    }
}
