import GRDB
import MasterKit
import MasterTesting
import OrderedCollections
import Testing

@testable import MasterRuntime

/// The properties of builds: where they come from, and which wins.
struct BuildPropertyTests {
    @Test func `templates know what the master is called and where it is`() async throws {
        let yaml = """
            title: Greeter
            titleURL: http://greeter.example/
            buildbotURL: http://ci.example/
            steps:
              - steps.SetProperty:
                  property: master
                  value: !Template "{{ buildbot_title }} {{ title_url }} {{ buildbot_url }}"
            """
        try await MasterBench.with(yaml) { bench in
            let properties = try await bench.buildOne().build.properties
            #expect(properties["master"] == "Greeter http://greeter.example/ http://ci.example/")
        }
    }

    @Test(arguments: [1, "text", true, nil, [1, 2.5], ["a": 1]] as [JSONValue])
    func `a property of a request keeps its value`(_ value: JSONValue) async throws {
        let yaml = "steps: [steps.SetProperty: {property: copy, value: !Property given}]"
        try await MasterBench.with(yaml) { bench in
            let properties = try await bench.buildOne(properties: ["given": value]).build.properties
            #expect(properties["given"] == value)
            #expect(properties["copy"] == value)
        }
    }

    @Test func `every variable that a template in a step may name has a value`() async throws {
        let paths = StepVariables.names + StepVariables.membersOfBuild.map { "build.\($0)" }
        let tests = paths.map { "{{ '' if \($0) is defined else '\($0) ' }}" }
        let yaml = """
            steps:
              - steps.SetProperty:
                  property: missing
                  value: !Template "\(tests.joined())"
            """
        try await MasterBench.with(yaml) { bench in
            let properties = try await bench.buildOne().build.properties
            #expect(properties["missing"] == "")
        }
    }

    @Test func `a property of the command line wins over one of the builder and of the file`()
        async throws
    {
        let yaml = """
            properties: {a: file, b: file, c: file, d: [1, {x: null}]}
            builders:
              - {name: one, properties: {b: builder, c: builder}, steps: []}
            """
        try await MasterBench.with(yaml) { bench in
            // A request can't choose what builds, and what is built.
            let own: JSONObject = ["c": "line", "buildername": "x", "buildnumber": 9]
            let properties = try await bench.buildOne(properties: own).build.properties
            let expected: [(String, JSONValue, String)] = [
                ("a", "file", "master.yaml"), ("b", "builder", "Builder"),
                ("c", "line", "command line"), ("buildername", "one", "Builder"),
                ("buildnumber", 1, "Build"), ("workername", "local", "Worker"),
                ("basedir", .string(bench.basedir), "Worker"),
                ("builddir", .string("\(bench.basedir)/work/one"), "Worker"),
                ("scheduler", "run", "Scheduler"),
                ("branch", nil, "Build"), ("revision", nil, "Build"),
                ("repository", "", "Build"), ("codebase", "", "Build"), ("project", "", "Build"),
            ]
            for (name, value, source) in expected {
                #expect(properties.entries[name] == .init(value: value, source: source), "\(name)")
            }
            #expect(properties["d"] == [1, ["x": nil]])
            #expect(properties["owners"] == nil)
        }
    }

    @Test func `the source stamp gives properties, when it is the only one`() async throws {
        try await MasterBench.with("steps: []") { bench in
            let stamp = SourceStamp(
                branch: "main", revision: "abc", repository: "git://r", project: "p",
                codebase: "c")
            let (one, two) = try await bench.run { master in
                var request = BuildsetRequest(reason: "test", sourceStamps: [stamp])
                let one = try await master.wait(for: try await master.submit(request))
                request.sourceStamps.append(SourceStamp(codebase: "other"))
                return (one, try await master.wait(for: try await master.submit(request)))
            }
            let names = ["branch", "revision", "repository", "project", "codebase"]
            let values = one[0].build.properties.values
            #expect(names.map { values[$0] } == ["main", "abc", "git://r", "p", "c"])
            #expect(names.allSatisfy { two[0].build.properties[$0] == nil })
        }
    }

    @Test(arguments: ["ann", ["ann"]] as [JSONValue])
    func `the owner is also the list of owners`(_ owner: JSONValue) async throws {
        try await MasterBench.with("steps: []") { bench in
            let build = try await bench.buildOne(properties: ["owner": owner])
            #expect(build.build.properties["owners"] == ["ann"])
        }
    }

    @Test func `what a step sets, later steps and the build's record have`() async throws {
        let yaml = """
            steps:
              - steps.SetProperty: {name: first, property: version, value: [1, "1.10"]}
              - steps.SetProperty: {property: copy, value: !Property version}
              - steps.SetProperty: {property: buildername, value: mine}
            """
        try await MasterBench.with(yaml) { bench in
            let properties = try await bench.buildOne().build.properties
            let value: JSONValue = [1, "1.10"]
            #expect(properties.entries["version"] == .init(value: value, source: "first"))
            #expect(properties["copy"] == value)
            #expect(
                properties.entries["buildername"] == .init(value: "mine", source: "SetProperty_1"))
        }
    }

    @Test func `what has changed is stored by itself until the build ends`() async throws {
        let (begun, gate) = (Journal<Void>(), Journal<Void>())
        let scripts: [String: Scripts.Script] = [
            "set": { context in
                for index in 1...3 {
                    try await context.setProperty("p\(index)", to: .int(index))
                }
                try await context.setProperty("p1", to: "changed")
                try await context.setProperty("reason", to: "changed, too")
                begun.add(())
                await gate.wait(for: 1)
                return .success
            }
        ]
        let yaml = "properties: {reason: none, other: 1}\nsteps: [steps.Play: $set]"
        try await MasterBench.with(yaml, scripts: scripts) { bench in
            try await bench.run { master in
                let store = master.environment.store
                async let builds = master.build()
                await begun.wait(for: 1)
                try await store.write { _ in }
                let (stored, running) = try await store.read { database in
                    (
                        try String.fetchOne(database, sql: "SELECT properties FROM build") ?? "",
                        try Build.find(1, in: database)
                    )
                }
                #expect(!stored.contains("p1") && !stored.contains("changed"))
                gate.add(())
                let build = try #require(try await builds.first?.build)
                #expect(running?.properties == build.properties)
                #expect(build.properties["p1"] == "changed")
                #expect(build.properties["reason"] == "changed, too")
                #expect(build.properties.entries["p2"]?.source == "Play")
                let (ended, count) = try await store.read { database in
                    (
                        try Build.find(1, in: database),
                        try database.number("SELECT count(*) FROM build_property", [])
                    )
                }
                #expect(ended?.properties == build.properties)
                #expect(count == 0)
            }
        }
    }

    @Test func `a secret is shown nowhere but reaches the steps that use it`() async throws {
        let yaml = """
            secrets: [secrets.Vault]
            steps:
              - steps.SetProperty: {property: address, value: !Interpolate "x:%(secret:token)s@h"}
              - steps.Play: {script: $read, name: !Interpolate "use %(secret:token)s"}
              - steps.Give:
                  result: failure
                  description: !Secret token
                  descriptionDone: !Interpolate "%(prop:address)s"
            """
        let seen = Journal<String>()
        let scripts: [String: Scripts.Script] = [
            "read": { context in
                seen.add(context.properties["address"]?.stringValue ?? "")
                context.logger.warning("sending s3cr3t-value")
                await context.setSummary("sent s3cr3t-value")
                try await context.openLog("out").line("s3cr3t-value")
                return .success
            }
        ]
        try await MasterBench.with(yaml, scripts: scripts, plugins: [Vault.self]) { bench in
            let events = try await bench.events()
            #expect(seen.entries == ["x:s3cr3t-value@h"])
            let told = events.map { JSONWriter.compact.string(.object($0.record)) }
            #expect(told.contains { $0.contains("x:<token>@h") })
            #expect(told.contains { $0.contains("use <token>") })
            #expect(told.contains { $0.contains("failed x:<token>@h (failure)") })
            #expect(!told.contains { $0.contains("s3cr3t") })
            #expect(bench.messages.texts.contains("sending <token>"))
            #expect(!bench.messages.texts.contains { $0.contains("s3cr3t") })
            let files = try bench.files(in: bench.basedir)
            let database = try files.filter { $0.contains("sqlite") }.flatMap {
                try bench.bytes($0)
            }
            #expect(database.firstRange(of: Array("<token>".utf8)) != nil)
            #expect(database.firstRange(of: Array("s3cr3t".utf8)) == nil)
        }
    }
}
