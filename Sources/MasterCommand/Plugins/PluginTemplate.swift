internal import FoundationEssentials
internal import MasterKit
internal import SystemPackage

/// The package that `plugins new` writes.
struct PluginTemplate {
    /// Where Buildmaster comes from.
    enum Dependency {
        case path(String)
        case url(String)
    }

    /// The kinds that can be written.
    static let kinds = [
        "reporters", "services", "generators", "formatters", "steps", "secrets", "factories",
    ]

    private let kind: String
    /// The name of the plugin's type.
    private let name: String
    private let buildmaster: Dependency

    /// The name of the package and its module, which must differ from that of the type.
    var package: String { "\(name)Plugin" }

    /// The file of the plugin in the package.
    var pluginFile: String { "Sources/\(package)/\(name).swift" }

    /// Creates a template.
    ///
    /// - Throws: ``UsageError`` if the key is not that of a plugin.
    init(_ key: String, buildmaster: Dependency) throws {
        guard let parsed = PluginKey(key), Self.kinds.contains(parsed.namespace.rawValue) else {
            let kind = String(key.prefix { $0 != "." })
            let nearest = Suggestion.nearest(to: kind, among: Self.kinds)
            throw UsageError(
                "'\(key)' is not a key such as reporters.ChatRoom; "
                    + (nearest.map { "did you mean '\($0).NAME'?" }
                        ?? "the kinds are \(Self.kinds.joined(separator: ", "))"))
        }
        guard parsed.name.wholeMatch(of: /[A-Z][A-Za-z0-9]{0,63}/) != nil,
            !Self.reserved.contains(parsed.name)
        else {
            throw UsageError(
                "'\(parsed.name)' can't be the name of a plugin; a name has letters and digits, "
                    + "begins with an upper-case letter, and is not a word of Swift or the name of "
                    + "a protocol of MasterKit")
        }
        kind = parsed.namespace.rawValue
        name = parsed.name
        self.buildmaster = buildmaster
    }

    private static let reserved: Set = [
        "Any", "Array", "BuildFactory", "Message", "MessageFormatter", "MasterService", "Plugin",
        "Protocol", "Report", "ReportGenerator", "Reporter", "Results", "SecretProvider", "Self",
        "Setting", "Step", "String", "Type",
    ]

    /// Writes the files; an existing file is never overwritten.
    func write(to folder: String) throws {
        let files = files.map { ("\(folder)/\($0.path)", $0.text) }
        if let existing = files.first(where: { FileManager.default.fileExists(atPath: $0.0) }) {
            throw FailedRun("\(existing.0) exists; pass another folder with --into")
        }
        for (path, text) in files {
            do {
                try FileManager.default.createDirectory(
                    atPath: path.parentFolder, withIntermediateDirectories: true)
                let file = try FileDescriptor.open(
                    FilePath(path), .writeOnly, options: [.create, .exclusiveCreate],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
                try file.closeAfter { _ = try file.writeAll(text.utf8) }
            } catch {
                throw FailedRun("can't write \(path): \(error)")
            }
        }
    }

    /// The files of the package.
    var files: [(path: String, text: String)] {
        let code = PluginCode(kind: kind, name: name)
        return [
            ("Package.swift", manifest),
            (pluginFile, code.plugin),
            ("Sources/\(package)/Plugins.swift", plugins),
            ("Tests/\(package)Tests/\(name)Tests.swift", test(code)),
            ("master.yaml", masterFile(code)),
            ("README.md", readme(code)),
            (".gitignore", ".build/\n.buildmaster/\nPackage.resolved\n"),
            (".vscode/settings.json", Self.editorSettings),
        ]
    }

    private var manifest: String {
        let (dependency, identity) =
            switch buildmaster {
            case .path(let path):
                (#".package(name: "buildmaster", path: \#(quoted(path)))"#, "buildmaster")
            case .url(let url):
                (#".package(url: \#(quoted(url)), branch: "main")"#, Self.identity(of: url))
            }
        return """
            // swift-tools-version: 6.2

            import PackageDescription

            let settings: [SwiftSetting] = [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]

            let package = Package(
                name: "\(package)",
                products: [.library(name: "\(package)", targets: ["\(package)"])],
                dependencies: [
                    \(dependency)
                ],
                targets: [
                    .target(
                        name: "\(package)",
                        dependencies: [.product(name: "MasterKit", package: "\(identity)")],
                        swiftSettings: settings),
                    .testTarget(
                        name: "\(package)Tests",
                        dependencies: [
                            "\(package)", .product(name: "MasterTesting", package: "\(identity)"),
                        ],
                        swiftSettings: settings),
                ],
                swiftLanguageModes: [.v6]
            )

            """
    }

    private func quoted(_ text: String) -> String { JSONWriter.compact.string(.string(text)) }

    private static func identity(of url: String) -> String {
        let last = url.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? url
        return (last.hasSuffix(".git") ? String(last.dropLast(4)) : last).lowercased()
    }

    private var plugins: String {
        """
        public import MasterKit

        /// The plugins of this package, which a master finds by this name.
        public let plugins = PluginBundle(\(name).self)

        """
    }

    private func test(_ code: PluginCode) -> String {
        """
        import MasterKit
        import MasterTesting
        import Testing

        @testable import \(package)

        struct \(name)Tests {
        \(code.test.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : "    " + $0 }.joined(separator: "\n"))
        }

        """
    }

    private func masterFile(_ code: PluginCode) -> String {
        """
        # Uses the plugin of this package: '\(RootCommand.programName) run' builds it when it has changed.
        plugins: .

        \(code.masterFile)

        """
    }

    private func readme(_ code: PluginCode) -> String {
        let program = RootCommand.programName
        return """
            # \(package)

            The plugin `\(kind).\(name)` for Buildmaster.

            ```console
            \(program) run             # builds the plugin if it has changed, and runs master.yaml
            \(program) check --build   # finds the mistakes in master.yaml
            \(program) plugins describe \(kind).\(name)
            swift test                  # tests the plugin
            ```

            In another master.yaml, name this folder in `plugins`, relative to that file.

            """
    }

    private static let editorSettings = """
        {
          "files.exclude": {"**/.build": true, "**/.buildmaster": true},
          "yaml.customTags": [
            "!Env scalar", "!File scalar", "!Interpolate scalar", "!Property scalar",
            "!Property mapping", "!Secret scalar", "!Template scalar"
          ]
        }

        """
}

/// The parts of a new package that depend on the kind of plugin.
private struct PluginCode {
    let kind: String
    let name: String

    var plugin: String { Self.plugins[kind].map(filled) ?? "" }
    var test: String { Self.tests[kind].map(filled) ?? "" }
    var masterFile: String { Self.masterFiles[kind].map(filled) ?? "" }

    private func filled(_ text: String) -> String {
        text.replacing("NAME", with: name)
    }

    private static let plugins = [
        "reporters": """
        import MasterKit

        /// Announces finished builds.
        struct NAME: Reporter {
            static let summary = "Announces finished builds."

            @Setting("The address to post to.", .primary, .secret)
            var url: Renderable<HTTPAddress>

            @Setting("Which results to announce.")
            var announce: [Results] = [.success, .warnings, .failure, .exception]

            func send(_ report: Report, in context: DeliveryContext) async throws {
                guard case .json(let build) = report.body, let results = report.results,
                    announce.contains(results)
                else { return }
                let builder = build["builder"]?["name"]?.stringValue ?? "a builder"
                let text: JSONValue = ["text": .string("\\(builder): \\(results.name)")]
                var request = HTTPRequest(.post, try context.render(url))
                request.body = .json(JSONWriter.compact.bytes(text))
                let answer = try await context.send(request)
                guard answer.isSuccess else {
                    throw DeliveryError(.retry(after: nil), "the receiver answered \\(answer.status)")
                }
            }
        }

        """,
        "services": """
        import MasterKit

        /// Builds some builders after another one has succeeded.
        struct NAME: MasterService {
            static let summary = "Builds builders after another one has succeeded."

            @Setting("The builder to wait for.", .notEmpty, .example("first")) var after: String
            @Setting("The builders to build then.", .notEmpty, .example(["second"]))
            var builderNames: [String]

            let wantedEvents: Set<EventKind> = [.buildFinished]

            func run(in context: ServiceContext) async throws {
                for await case .event(let build) in context.events
                where build.builderName == after && build.results == .success {
                    let reason = "\\(after) succeeded"
                    try await context.submit(BuildsetRequest(builders: builderNames, reason: reason))
                }
            }
        }

        """,
        "generators": """
        import MasterKit

        /// Reports finished builds that did not succeed.
        struct NAME: ReportGenerator {
            static let summary = "Reports finished builds that did not succeed."

            @Setting("Formats the message.", plugins: .formatters, .named("message_formatter"))
            var formatter: (any MessageFormatter)?

            var wantedEvents: Set<EventKind> { [.buildFinished] }

            func generate(for event: Event, in context: ReportContext) async throws -> Report? {
                guard event.results != .success else { return nil }
                return try await context.report(with: formatter)
            }
        }

        """,
        "formatters": """
        import MasterKit

        /// Formats a report as a line of text.
        struct NAME: MessageFormatter {
            static let summary = "Formats a report as a line of text."

            @Setting("The first word of the line.") var greeting = "Hello"

            func format(_ topic: ReportTopic) -> Message {
                let results = topic.results?.name ?? "started"
                return Message(.plain("\\(greeting) from \\(topic.builderName ?? "all"): \\(results)"))
            }
        }

        """,
        "steps": """
        import MasterKit

        /// Runs a line of shell, and keeps the number of the lines that it prints.
        struct NAME: Step {
            static let summary = "Counts the lines that a command prints."

            @Setting("The line of shell.", .primary, .notEmpty, .example("ls"))
            var command: Renderable<String>

            @Setting("The property that gets the number.") var property = "lines"

            func run(in context: StepContext) async throws -> Results {
                let log = try await context.openLog("stdio")
                var count = 0
                let command = Command.shell(.init(.line(try context.render(command))))
                let result = try await context.run(command) { update in
                    guard case .output(_, let bytes) = update.content else { return }
                    count += bytes.count { $0 == UInt8(ascii: "\\n") }
                }
                try await log.line("\\(count) lines")
                try await context.setProperty(property, to: .int(count))
                await context.setSummary("\\(count) lines")
                return result.isSuccess ? .success : .failure
            }
        }

        """,
        "secrets": """
        import MasterKit

        /// Knows the secrets that are written in its settings, for trying out.
        struct NAME: SecretProvider {
            static let summary = "Knows one secret."

            @Setting("The name of the secret.", .notEmpty, .named("name"), .example("token"))
            var secretName: String
            @Setting("The value of the secret.", .notEmpty, .secret, .example("hunter2!"))
            var value: String

            func value(of name: String, in context: SecretContext) async throws -> String? {
                name == secretName ? value : nil
            }
        }

        """,
        "factories": """
        import MasterKit

        /// Builds and tests a project that has a makefile.
        struct NAME: BuildFactory {
            static let summary = "Builds and tests a project that has a makefile."

            @Setting("The program that reads the makefile.") var make = "make"
            @Setting("Whether to run the tests.") var test = true

            var steps: [FactoryStep] {
                let build = FactoryStep("steps.Compile", ["command": [.string(make), "all"]])
                let check = FactoryStep("steps.Test", ["command": [.string(make), "check"]])
                return test ? [build, check] : [build]
            }
        }

        """,
    ]

    private static let tests = [
        "reporters": """
        @Test func `it keeps the promises of reporters`() async throws {
            try await ReporterContract(NAME.self) { ["url": "\\($0)/room"] }.verify()
        }

        @Test func `a finished build is announced`() async throws {
            try await withLoopbackServer { server in
                let reporter = try NAME.configured(["url": "\\(server.url)/room"])
                let harness = try ReporterHarness()
                for report in try await harness.reports(of: reporter, for: RecordedBuild().finished) {
                    try await harness.send(report, through: reporter)
                }
                #expect(server.requests.map(\\.path) == ["/room"])
            }
        }
        """,
        "services": """
        @Test func `the other builders are built`() async throws {
            let service = try NAME.configured(["after": "first", "builderNames": ["second"]])
            let harness = ServiceHarness()
            try await harness.run(service, events: [RecordedBuild(builder: "first").finished])
            #expect(harness.requests.map(\\.builders) == [["second"]])
        }
        """,
        "generators": """
        @Test(arguments: [(Results.success, 0), (.failure, 1)])
        func `only builds that did not succeed are reported`(
            results: Results, count: Int
        ) async throws {
            let generator = try NAME.configured()
            let build = RecordedBuild(results: results)
            let reports = try await ReporterHarness().reports(
                of: Silent(), for: build.finished, of: build, generators: [generator])
            #expect(reports.count == count)
        }

        struct Silent: Reporter {
            static let summary = "Sends nothing."

            func send(_ report: Report, in context: DeliveryContext) async throws {}
        }
        """,
        "formatters": """
        @Test func `a report is a line`() async throws {
            let reports = try await ReporterHarness().reports(
                of: Silent(), for: RecordedBuild().finished)
            #expect(reports.map(\\.body) == [.plain("Hello from default: success")])
        }

        struct Silent: Reporter {
            static let summary = "Sends nothing."

            var defaultFormatter: (any MessageFormatter)? { NAME() }

            func send(_ report: Report, in context: DeliveryContext) async throws {}
        }
        """,
        "steps": """
        @Test func `the lines are counted`() async throws {
            try await withTemporaryFolder { folder in
                let step = try NAME.configured("echo one; echo two")
                let harness = try StepHarness(worker: folder.localWorker, workdir: folder.path)
                #expect(try await harness.run(step) == .success)
                #expect(harness.properties["lines"] == 2)
            }
        }
        """,
        "secrets": """
        @Test func `it keeps the promises of providers`() async throws {
            let settings: SettingLiteral = ["name": "token", "value": "hunter2!"]
            try await SecretContract(NAME.self, settings, knowing: "token").verify()
        }
        """,
        "factories": """
        @Test func `tests can be left out`() throws {
            #expect(try NAME.configured().steps.count == 2)
            #expect(try NAME.configured(["test": false]).steps.count == 1)
        }
        """,
    ]

    private static let masterFiles = [
        "reporters": """
        services:
          - reporters.NAME: http://127.0.0.1:9980/room

        steps:
          - steps.ShellCommand: echo hello
        """,
        "services": """
        services:
          - services.NAME:
              after: first
              builderNames: [second]

        builders:
          - name: first
            steps:
              - steps.ShellCommand: echo first
          - name: second
            triggeredOnly: true
            steps:
              - steps.ShellCommand: echo second
        """,
        "generators": """
        services:
          - reporters.HttpStatusPush:
              serverUrl: http://127.0.0.1:9980/status
              generators:
                - generators.NAME

        steps:
          - steps.ShellCommand: echo hello
        """,
        "formatters": """
        services:
          - reporters.HttpStatusPush:
              serverUrl: http://127.0.0.1:9980/status
              generators:
                - generators.BuildStatusGenerator:
                    mode: all
                    message_formatter:
                      formatters.NAME:
                        greeting: Good day

        steps:
          - steps.ShellCommand: echo hello
        """,
        "steps": """
        steps:
          - steps.NAME: ls
          - steps.ShellCommand: [echo, !Interpolate "%(prop:lines)s lines"]
        """,
        "secrets": """
        secrets:
          - secrets.NAME:
              name: token
              value: hunter2!

        steps:
          - steps.ShellCommand: [echo, !Secret token]
        """,
        "factories": """
        builders:
          - name: project
            factory:
              factories.NAME:
                make: echo
        """,
    ]
}
