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
        "schedulers", "changes",
    ]

    private let kind: String
    /// The name of the plugin's type.
    private let name: String
    private let buildmaster: Dependency

    /// The name of the package and its module, which must differ from that of the type.
    var package: String { "\(name)Plugin" }

    /// The command that runs the plugin: schedulers and change sources need a master that stays up.
    var command: String { ["schedulers", "changes"].contains(kind) ? "start" : "run" }

    /// The file of the plugin in the package.
    var pluginFile: String { "Sources/\(package)/\(name).swift" }

    /// Creates a template.
    ///
    /// - Throws: ``UsageError`` if the key is not that of a plugin, or is that of a plugin of this
    ///   program.
    init(_ key: String, buildmaster: Dependency, registry: Registry) throws {
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
        guard registry[parsed] == nil else {
            throw UsageError(
                "there is already a plugin '\(parsed)' in this program; choose another name")
        }
        kind = parsed.namespace.rawValue
        name = parsed.name
        self.buildmaster = buildmaster
    }

    private static let reserved: Set = [
        "Any", "Array", "BuildFactory", "Change", "ChangeSource", "Message", "MessageFormatter",
        "MasterService", "Plugin",
        "Protocol", "Report", "ReportGenerator", "Reporter", "Results", "Scheduler",
        "SecretProvider", "Self",
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
            (
                ".vscode/settings.json",
                JSONWriter.pretty.string(SchemaCommand.settings(schema: Self.schemaFile)) + "\n"
            ),
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

    private static let schemaFile = "master.schema.json"

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
        # Uses the plugin of this package: '\(RootCommand.programName) \(command)' builds it when it has changed.
        plugins: .

        \(code.masterFile)

        """
    }

    private func readme(_ code: PluginCode) -> String {
        let program = RootCommand.programName
        let command = (command + String(repeating: " ", count: 15)).prefix(15)
        return """
            # \(package)

            The plugin `\(kind).\(name)` for Buildmaster.

            ```console
            \(program) \(command) # builds the plugin if it has changed, and runs master.yaml
            \(program) check --build   # finds the mistakes in master.yaml
            \(program) plugins describe \(kind).\(name)
            swift test                  # tests the plugin
            ```

            For completion and hints in an editor, write the file that `.vscode/settings.json` names:

            ```console
            \(program) schema > \(Self.schemaFile)
            ```

            In another master.yaml, name this folder in `plugins`, relative to that file.

            """
    }
}
