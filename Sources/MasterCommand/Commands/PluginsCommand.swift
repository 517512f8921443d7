internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// `plugins`: what a master.yaml can declare.
struct PluginsCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "plugins",
            abstract: "Shows what a master.yaml can declare, and makes new plugins.",
            subcommands: [
                PluginsListCommand.self, PluginsDescribeCommand.self, PluginsNewCommand.self,
                PluginsBuildCommand.self, PluginsProbeCommand.self,
            ])
    }
}

/// The options for the file whose `plugins` are loaded.
struct LoadedPluginOptions: ParsableArguments {
    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    /// The plugins of the program and those that the file names, if there is a file.
    ///
    /// What can't be loaded is said on standard error.
    func registry(in context: CommandContext) async throws -> Registry {
        guard FileManager.default.fileExists(atPath: source.file) else {
            guard source.isDefault else {
                throw FailedRun("the file \(source.file) does not exist")
            }
            return context.registry
        }
        let loaded = PluginLoader(basedir: base.path(beside: source.file)).load(
            for: source.file, registry: context.registry)
        let printer = DiagnosticPrinter(context.console.error)
        let diagnostics = loaded.diagnostics.map {
            Diagnostic($0.severity, $0.message)
        }
        await context.console.complain(printer.lines(diagnostics, of: source.file))
        return loaded.registry
    }
}

/// `plugins list`: lists all plugins with their keys and summaries.
struct PluginsListCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list",
            abstract: "Lists the plugins with their keys.",
            discussion: "Those of the packages that the file names in 'plugins' are among them.")
    }

    @OptionGroup var options: LoadedPluginOptions

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let registry = try await options.registry(in: context)
        let console = context.console
        guard !json else {
            await console.print(JSONWriter.pretty.string(Self.json(registry)).lines)
            return .success
        }
        let width = console.output.canRedraw ? console.size.columns : Int.max
        await console.print(Self.lines(registry, console.output, width: width))
        return .success
    }

    private static func json(_ registry: Registry) -> JSONValue {
        let plugins = registry.entries.map { entry -> JSONValue in
            [
                "key": .string("\(entry.key)"), "summary": .string(entry.type.summary),
                "origin": .string(entry.origin),
            ]
        }
        return ["formatVersion": 1, "plugins": .array(plugins)]
    }

    /// Formats one line per plugin, including the module or library unless it is the standard one.
    static func lines(_ registry: Registry, _ traits: TerminalTraits, width: Int) -> [String] {
        let paint = TextPainter(hasColour: traits.hasColour)
        var table = TextTable(paint: paint)
        for entry in registry.entries {
            let isOwn = entry.origin != "StandardPlugins"
            table.add([
                .init("\(entry.key)", .bold),
                .init(entry.type.summary + (isOwn ? " (\(entry.origin))" : "")),
            ])
        }
        return table.lines(
            width: width, ellipsis: StatusSymbols(hasUnicode: traits.hasUnicode).ellipsis)
    }
}

/// `plugins describe`: shows the settings of a plugin.
struct PluginsDescribeCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "describe",
            abstract: "Shows the settings of a plugin, and an example.",
            discussion: """
                Examples:

                  \(RootCommand.programName) plugins describe reporters.HttpStatusPush
                  \(RootCommand.programName) plugins describe steps.Git --json
                """)
    }

    @Argument(help: ArgumentHelp("The key of the plugin.", valueName: "key"))
    var key: String

    @OptionGroup var options: LoadedPluginOptions

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let registry = try await options.registry(in: context)
        guard let entry = registry[key] else {
            let keys = registry.entries.map(\.key.description)
            let name = key.split(separator: ".").last.map(String.init) ?? key
            let named = keys.first { $0.hasSuffix(".\(name)") }
            let meant = named ?? Suggestion.nearest(to: key, among: keys)
            throw UsageError(
                "there is no plugin '\(key)'; "
                    + (meant.map { "did you mean '\($0)'?" } ?? "'plugins list' shows them"))
        }
        let report = PluginReport(entry.description, in: registry)
        await context.console.print(
            json
                ? JSONWriter.pretty.string(report.json).lines
                : report.lines(context.console.output))
        return .success
    }
}

/// `plugins build`: builds the packages that a file names.
struct PluginsBuildCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "build",
            abstract: "Builds the plugin packages that a file names in 'plugins'.",
            discussion: """
                Only what has changed is built; 'run' does the same by itself. The libraries are \
                printed. A library with the .json file beside it can be copied, and named in \
                'plugins' in place of its package.
                """)
    }

    @OptionGroup var options: LoadedPluginOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let (source, base) = (options.source, options.base)
        guard FileManager.default.fileExists(atPath: source.file) else {
            throw FailedRun("the file \(source.file) does not exist; pass another one with -c")
        }
        let basedir = base.path(beside: source.file)
        guard let built = await PluginBuilder(basedir: basedir, context).build(for: source.file)
        else { return .configuration }
        let loaded = PluginLoader(basedir: basedir).load(
            for: source.file, registry: context.registry)
        let printer = DiagnosticPrinter(context.console.error)
        await context.console.complain(printer.lines(loaded.diagnostics, of: source.file))
        guard loaded.diagnostics.isEmpty else { return .configuration }
        await context.console.print(built.map { "\($0.source.label): \($0.library)" })
        return .success
    }
}

/// `plugins probe`: loads a library in a process of its own, for `plugins build`.
struct PluginsProbeCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "probe", abstract: "Prints the keys of the plugins of a library.",
            shouldDisplay: false)
    }

    @Argument(help: "The library.") var library: String

    func run(in context: CommandContext) async throws -> ExitStatus {
        do throws(PluginFault) {
            let plugins = try PluginLoader.plugins(of: library)
            await context.console.print(plugins.map { "\($0.key)" })
            return .success
        } catch {
            throw FailedRun("\(error)")
        }
    }
}

/// `plugins new`: writes a plugin package.
struct PluginsNewCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "new",
            abstract: "Writes a package with a plugin, its test and a master.yaml.",
            discussion: """
                It builds and its test passes as it is. No file is overwritten.

                Examples:

                  \(RootCommand.programName) plugins new reporters.ChatRoom
                  \(RootCommand.programName) plugins new steps.CountLines --into plugins/CountLines
                """)
    }

    @Argument(
        help: ArgumentHelp(
            "The key: a kind (\(PluginTemplate.kinds.joined(separator: ", "))), a dot and a name.",
            valueName: "key"))
    var key: String

    @Option(
        help: ArgumentHelp(
            "The folder to write to. (default: the name with 'Plugin', such as ChatRoomPlugin)",
            valueName: "folder"),
        completion: .directory)
    var into: String?

    @Option(
        help: ArgumentHelp(
            "The Buildmaster to depend on. (default: the checkout of this program)",
            valueName: "path|url"))
    var buildmaster: String?

    func run(in context: CommandContext) async throws -> ExitStatus {
        let template = try PluginTemplate(
            key, buildmaster: try dependency(), registry: context.registry)
        let folder = into ?? template.package
        try template.write(to: folder)
        let program = RootCommand.programName
        await context.console.print([
            "wrote the package \(template.package) to \(folder)",
            "the plugin: \(folder)/\(template.pluginFile)",
            "to run it: cd \(folder.shellQuoted) && \(program) \(template.command)",
            "to test it: cd \(folder.shellQuoted) && swift test",
        ])
        return .success
    }

    private func dependency() throws -> PluginTemplate.Dependency {
        guard let buildmaster else {
            guard let checkout = PluginModules.checkout() else {
                throw FailedRun(
                    "the checkout of this program is not known; pass --buildmaster with its path "
                        + "or URL")
            }
            return .path(checkout)
        }
        if buildmaster.contains("://") || buildmaster.hasPrefix("git@") { return .url(buildmaster) }
        let path = URL(filePath: buildmaster).standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: "\(path)/Package.swift") else {
            throw FailedRun(
                "--buildmaster \(buildmaster): there is no Package.swift in this folder")
        }
        return .path(path)
    }
}
