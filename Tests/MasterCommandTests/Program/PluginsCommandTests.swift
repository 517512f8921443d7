import FoundationEssentials
import MasterKit
import MasterTesting
import Testing

/// Plugin packages, built and loaded by the program.
@Suite(.timeLimit(.minutes(8)))
struct PluginsCommandTests {
    /// The environment with the Swift that runs the tests.
    private static let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]

    private static let manifest = """
        // swift-tools-version: 6.2
        import PackageDescription
        let package = Package(
            name: "Own",
            products: [.library(name: "Own", targets: ["Own"])],
            dependencies: [.package(name: "buildmaster", path: "../buildmaster")],
            targets: [
                .target(
                    name: "Own", dependencies: [.product(name: "MasterKit", package: "buildmaster")])
            ],
            swiftLanguageModes: [.v6])
        """

    private static let step = """
        import MasterKit
        struct Crossing: Step {
            static let summary = "Uses what crosses the boundary of a library."
            @Setting("A word.", .primary) var word: Renderable<String>
            func run(in context: StepContext) async throws -> Results {
                context.logger.warning("the library logs")
                let isStep = (self as Any) as? any Step != nil
                let missing = Command.Shell(.program(["/no/such/program"]), in: context.workdir)
                do {
                    _ = try await context.run(.shell(missing))
                    return .failure
                } catch let error as CommandError {
                    await context.setSummary("\\(try context.render(word)) \\(isStep) \\(error.code)")
                    return .success
                }
            }
        }
        struct Fussy: Reporter {
            static let summary = "Rejects every report."
            func send(_ report: Report, in context: DeliveryContext) async throws {
                throw DeliveryError(.reject, "the library rejects it")
            }
        }
        public let plugins = PluginBundle(Crossing.self, Fussy.self)
        """

    private static let file = """
        plugins: own
        services:
          - reporters.Fussy
        steps:
          - steps.Crossing: over
        """

    /// Runs a closure in a folder with a package `own` and a file that names it.
    private func inPackage(
        _ source: String = Self.step, manifest: String = Self.manifest, file: String = Self.file,
        _ body: (Program) async throws -> Void
    ) async throws {
        try await Program.inFolder(["master.yaml": file]) { program in
            var program = program
            program.environment = Self.environment
            let folder = "\(program.folder)/own/Sources/Own"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            try program.write(manifest, to: "own/Package.swift")
            try program.write(source, to: "own/Sources/Own/Own.swift")
            try await body(program)
        }
    }

    @Test func `casts, errors, loggers and task-locals cross the boundary`() async throws {
        try await inPackage { program in
            let first = try await program.run("run")
            #expect(first.status == 0, "\(first.error)")
            #expect(first.output.contains("over true programNotFound"), "\(first.output)")
            #expect(first.error.contains("the library logs"))
            #expect(first.error.contains("the library rejects it"))
            #expect(first.error.contains("building the plugins of own\n"))
            let second = try await program.run("run")
            #expect(second.status == 0)
            #expect(!second.error.contains("building"))
            // An edit is built by the next run.
            let edited = Self.step.replacing("reject, \"the library", with: "reject, \"the edited")
            try program.write(edited, to: "own/Sources/Own/Own.swift")
            let check = try await program.run("check")
            #expect(check.output.contains("have changed since they were built"))
            let third = try await program.run("run")
            #expect(third.error.contains("the edited rejects it"))
            let kept = try FileManager.default.subpathsOfDirectory(
                atPath: "\(program.folder)/.buildmaster/plugins")
            #expect(kept.count { $0.hasSuffix(".so") } == 1)
            #expect(kept.count { $0.contains("building-") } == 0)
        }
    }

    @Test func `editors know the plugins that are built`() async throws {
        let text = "plugins: own\nsteps:\n  - steps.Cr\n"
        try await inPackage(file: text) { program in
            let uri = JSONValue.string("file://\(program.folder)/master.yaml")
            let messages: [JSONValue] = [
                ["id": 1, "method": "initialize", "params": [:]],
                [
                    "method": "textDocument/didOpen",
                    "params": ["textDocument": ["uri": uri, "version": 1, "text": .string(text)]],
                ],
                [
                    "id": 2, "method": "textDocument/completion",
                    "params": [
                        "textDocument": ["uri": uri], "position": ["line": 2, "character": 12],
                    ],
                ],
                ["id": 3, "method": "shutdown"], ["method": "exit"],
            ]
            let stream = messages.map { message in
                let body = JSONWriter.compact.string(message)
                return "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            }.joined()
            try program.write(stream, to: "messages")
            let serve = ["-c", "exec \(Program.path) lsp < messages"]
            let before = try await program.run(serve, executable: "/bin/sh") { _ in }
            #expect(before.status == 0, "\(before.error)")
            #expect(before.output.contains("are not built"))
            #expect(!before.output.contains("steps.Crossing"))
            let schema = try await program.run("schema")
            #expect(!schema.output.contains("steps.Crossing"))
            #expect(try await program.run("plugins", "build").status == 0)
            let after = try await program.run(serve, executable: "/bin/sh") { _ in }
            #expect(after.output.contains("\"label\":\"steps.Crossing\""), "\(after.output)")
            for option in [["schema"], ["schema", "--markdown"]] {
                let ended = try await program.run(option) { _ in }
                #expect(ended.output.contains("steps.Crossing"), "\(ended.error)")
            }
        }
    }

    @Test func `a library is refused by what is written beside it`() async throws {
        try await inPackage { program in
            let built = try await program.run("plugins", "build")
            #expect(built.status == 0, "\(built.error)")
            let library = try #require(
                built.output.split(separator: "\n").last?.split(separator: " ").last.map(
                    String.init))
            try FileManager.default.copyItem(
                atPath: library, toPath: "\(program.folder)/libOwn.so")
            let file = Self.file.replacing("own", with: "libOwn.so")
            try program.write(file, to: "master.yaml")
            let alone = try await program.run("check")
            #expect(alone.status == 2)
            #expect(alone.output.contains("libOwn.so.json' beside it"), "\(alone.output)")
            #expect(alone.output.contains("1 error in"), "\(alone.output)")
            let record = try String(
                contentsOf: URL(filePath: library + ".json"), encoding: .utf8)
            try program.write(record, to: "libOwn.so.json")
            let both = try await program.run("check")
            #expect(both.output == "master.yaml: 1 builder, 1 step, 1 reporter\n")
            let masterKit = try #require(try JSONValue(parsing: record)["masterKit"]?.stringValue)
            try program.write(
                record.replacing(masterKit, with: "0123456789abcdef"), to: "libOwn.so.json")
            let other = try await program.run("check")
            #expect(other.status == 2)
            #expect(other.output.contains("for MasterKit 01234567, but this program has"))
            #expect(other.output.contains("MasterKit \(masterKit.prefix(8)); build"))
            try program.write(
                record.replacing("\"6.", with: "\"5."), to: "libOwn.so.json")
            let older = try await program.run("check")
            #expect(older.output.contains("was built with Swift 5."), "\(older.output)")
            try program.write(record, to: "libOwn.so.json")
            try program.write("no library", to: "libOwn.so")
            let broken = try await program.run("check")
            #expect(broken.output.contains("libOwn.so' can't be loaded: "))
            // Another library stays usable.
            try program.write(
                "plugins: [own, libOwn.so]\nsteps: [steps.Crossing: a]\n", to: "x.yaml")
            let list = try await program.run("plugins", "list", "-c", "x.yaml")
            #expect(list.output.contains("steps.Crossing"))
            #expect(list.error.contains("can't be loaded"))
        }
    }

    /// What can't be built, with the end of the message.
    private static let faulty: [(source: String, manifest: String, message: String)] = [
        (
            "import MasterKit\nlet x: Int = true\nlet plugins = PluginBundle()", manifest,
            "cannot convert value of type 'Bool' to specified type 'Int'"
        ),
        (
            "let plugins = [1]", manifest, "'plugins' that are not a PluginBundle"
        ),
        (
            "import MasterKit\nstruct A {}", manifest,
            "the target Own does not declare its plugins; write 'public let plugins = PluginBundle(…)'"
        ),
        (
            "import MasterKit\nlet plugins: PluginBundle = { fatalError(\"oh dear\") }()", manifest,
            "the plugins of 'own' crash when they are registered"
        ),
        (
            step, manifest.replacing(".library(", with: ".executable("),
            "the package 'own' has no library product; add '.library(name: \"own\""
        ),
        (
            step,
            manifest.replacing(
                ".product(name: \"MasterKit\"", with: ".product(name: \"Other\""),
            "the package 'own' needs 'Other' for its target 'Own'; a loaded plugin can only use"
        ),
        (
            step, "let package = 1",
            "the plugins of 'own' can't be built: its Package.swift is wrong"
        ),
    ]

    @Test(arguments: faulty.indices)
    func `what can't be built says why`(_ index: Int) async throws {
        let (source, manifest, message) = Self.faulty[index]
        try await inPackage(source, manifest: manifest) { program in
            let ended = try await program.run("run")
            #expect(ended.status == 2)
            #expect(ended.error.contains(message), "\(ended.error)")
            #expect(ended.error.contains("error: "))
        }
    }

    @Test func `without Swift it says so`() async throws {
        try await inPackage { program in
            var program = program
            program.environment = ["PATH": "/nowhere"]
            let ended = try await program.run("plugins", "build")
            #expect(ended.status == 2)
            #expect(
                ended.error.contains(
                    "error: the plugins of 'own' can't be built: Swift is not in PATH; install it"))
        }
    }

    @Test func `a program builds plugins beside the modules of a release, and says if it has none`()
        async throws
    {
        try await inPackage { program in
            let files = FileManager.default
            let folder = program.folder
            try files.createDirectory(
                atPath: "\(folder)/release/bin", withIntermediateDirectories: true)
            let copy = "\(folder)/release/bin/buildmaster"
            try files.copyItem(atPath: Program.path, toPath: copy)
            let alone = try await program.run(["plugins", "build"], executable: copy) { _ in }
            #expect(alone.status == 2)
            #expect(
                alone.error.contains(
                    "error: \(copy) can't build plugins, because the modules of Buildmaster are not "
                        + "beside it; run the program in an unpacked release"), "\(alone.error)")
            let include = "\(folder)/release/lib/buildmaster/include"
            try files.createDirectory(atPath: include, withIntermediateDirectories: true)
            let build = String(Program.path.dropLast("/buildmaster".count))
            try files.createSymbolicLink(
                atPath: "\(folder)/release/lib/buildmaster/Modules",
                withDestinationPath: "\(build)/Modules")
            let sources = URL(filePath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "Sources").path
            for name in ["CLibCurl", "CLibPCRE2", "CLibYAML"] {
                try files.createSymbolicLink(
                    atPath: "\(include)/\(name)", withDestinationPath: "\(sources)/\(name)")
            }
            let at = ["--basedir", "b"]
            let built = try await program.run(["plugins", "build"] + at, executable: copy) { _ in }
            #expect(built.status == 0, "\(built.error)")
            let checked = try await program.run(["check"] + at, executable: copy) { _ in }
            #expect(checked.output == "master.yaml: 1 builder, 1 step, 1 reporter\n")
        }
    }

    @Test func `a wrong place and a key twice are mistakes of the file`() async throws {
        let source = """
            import MasterKit
            struct ShellCommand: Step {
                static let summary = "Is there already."
                func run(in context: StepContext) async throws -> Results { .success }
            }
            let plugins = PluginBundle(ShellCommand.self)
            """
        try await inPackage(source, file: "plugins: [own, gone]\nsteps: []\n") { program in
            let ended = try await program.run("run")
            #expect(ended.status == 2)
            #expect(
                ended.error.contains(
                    "master.yaml:1:11: error: the plugin steps.ShellCommand of 'own' ("))
            #expect(ended.error.contains(") is also in StandardPlugins; give one of them another"))
            #expect(
                ended.error.contains("master.yaml:1:16: error: 'gone' does not exist; 'plugins'"))
        }
    }

    @Test func `plugins of another master are suspected`() async throws {
        let file = "steps: [steps.Frobnicate: {}]\n"
        let ended = try await Program.inFolder(["master.yaml": file]) { try await $0.run("check") }
        #expect(ended.status == 2)
        #expect(
            ended.output.contains(
                "there is no plugin 'steps.Frobnicate'; 'plugins list' shows them; if it belongs to "
                    + "another master, run that program, or name the plugin's package in 'plugins'")
        )
    }

    @Test func `every plugin is described, with an example that check accepts`() async throws {
        try await Program.inFolder { program in
            let list = try JSONValue(
                parsing: try await program.run("plugins", "list", "--json").output)
            let plugins = try #require(list["plugins"]?.arrayValue)
            #expect(plugins.count > 25)
            var files: [String] = []
            for plugin in plugins {
                let key = try #require(plugin["key"]?.stringValue)
                // Their functions can only be given in Swift, so that no file can declare them.
                guard !key.hasPrefix("formatters.MessageFormatterFunction") else { continue }
                let ended = try await program.run("plugins", "describe", key, "--json")
                let described = try JSONValue(parsing: ended.output)
                #expect(described["origin"] == "StandardPlugins")
                for setting in described["settings"]?.arrayValue ?? [] {
                    #expect(setting["description"]?.stringValue?.hasSuffix(".") == true, "\(key)")
                }
                files.append("\(key).yaml")
                try program.write(
                    try #require(described["example"]?.stringValue), to: "\(key).yaml")
            }
            let checked = try await program.run(["check"] + files) { _ in }
            #expect(checked.status == 0, "\(checked.output)")
            #expect(!checked.output.contains("warning"), "\(checked.output)")
        }
    }

    @Test func `a description in words has settings, defaults and those of the kind`() async throws
    {
        let ended = try await Program.inFolder {
            try await $0.run("plugins", "describe", "reporters.HttpStatusPush")
        }
        #expect(ended.output.hasPrefix("reporters.HttpStatusPush  "))
        #expect(ended.output.contains("  serverUrl: an address"))
        #expect(ended.output.contains("settings that all reporters have"))
        #expect(ended.output.contains("    - reporters.HttpStatusPush: http://"))
        let wrong = try await Program.inFolder {
            try await $0.run("plugins", "describe", "steps.HttpStatusPush")
        }
        #expect(wrong.status == 64)
        #expect(wrong.error.contains("did you mean 'reporters.HttpStatusPush'?"))
    }

    @Test func `a new package of each kind builds and its file is right`() async throws {
        try await Program.inFolder { program in
            var program = program
            program.environment = Self.environment
            let kinds = [
                "changes", "factories", "formatters", "generators", "reporters", "schedulers",
                "secrets", "services", "steps",
            ]
            for kind in kinds {
                let made = try await program.run("plugins", "new", "\(kind).My\(kind)")
                let command = ["schedulers", "changes"].contains(kind) ? "start" : "run"
                #expect(made.output.contains("&& buildmaster \(command)\n"), "\(made)")
            }
            let packages = kinds.map { "My\($0)Plugin" }
            try program.write(
                "plugins: [\(packages.joined(separator: ", "))]\nsteps: []\n", to: "all.yaml")
            let built = try await program.run("plugins", "build", "-c", "all.yaml")
            #expect(built.status == 0, "\(built.error)")
            for package in packages {
                for file in ["README.md", ".gitignore", ".vscode/settings.json"] {
                    #expect(program.has("\(package)/\(file)"))
                }
                let run = try await program.run(
                    "run", "--list", "-c", "\(package)/master.yaml", "--basedir", ".buildmaster")
                #expect(run.status == 0, "\(run.error)")
                #expect(!run.error.contains("building"), "\(run.error)")
            }
            let again = try await program.run("plugins", "new", "steps.Mysteps")
            #expect(again.status == 1)
            #expect(again.error.contains("/Package.swift exists; pass another folder with --into"))
        }
    }

    @Test(arguments: [
        ("reporter.ChatRoom", "did you mean 'reporters.NAME'?"),
        ("ChatRoom", "is not a key such as reporters.ChatRoom"),
        ("steps.count-lines", "can't be the name of a plugin"),
        ("steps.Step", "can't be the name of a plugin"),
        ("steps.Git", "there is already a plugin 'steps.Git' in this program"),
    ])
    func `a wrong name of a new plugin is refused`(key: String, message: String) async throws {
        let ended = try await Program.inFolder { try await $0.run("plugins", "new", key) }
        #expect(ended.status == 64)
        #expect(ended.error.contains(message), "\(ended.error)")
    }
}
