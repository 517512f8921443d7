internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// `check`: finds every mistake in files without running anything.
struct CheckCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: "Finds every mistake in a configuration; runs and sends nothing.",
            discussion: """
                Each mistake is shown with its place and how to fix it. The exit status is 0 when \
                every file can be run, with or without warnings, and 2 when one cannot, or with \
                --strict when there is a warning.

                Of a folder, every master.yaml in it is checked, and every other YAML file that \
                lists a plugin, such as 'steps.ShellCommand', under 'steps', 'services', \
                'factories' or 'builders'. Hidden files and folders are passed over.

                Examples:

                  \(RootCommand.programName) check
                  \(RootCommand.programName) check ci/master.yaml --secrets
                  \(RootCommand.programName) check . --strict --format github
                  \(RootCommand.programName) check --format sarif > check.sarif
                """,
            aliases: ["checkconfig"])
    }

    @Argument(
        help: ArgumentHelp(
            "The files, and folders with files, to check. (default: master.yaml)",
            valueName: "path"),
        completion: .file(extensions: ["yaml", "yml"]))
    var paths: [String] = []

    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    @Option(help: "The output format.")
    var format = CheckReport.Format.text

    @Flag(help: "Treat warnings like errors: the exit status is 2.")
    var strict = false

    @Flag(help: "Also build the plugin packages that the file names and that have changed.")
    var build = false

    @Flag(help: "Also fetch every secret, and report those that are missing.")
    var secrets = false

    @Flag(help: "Write the JSON Schema of --format json and check nothing.")
    var jsonSchema = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let console = context.console
        guard !jsonSchema else {
            await console.print(JSONWriter.pretty.string(CheckReport.schema).lines)
            return .success
        }
        let files = ConfigurationFiles(registry: context.registry)
        let given = paths.isEmpty || !source.isDefault ? [source.file] : []
        var results = given.map { ConfigurationFiles.Found.file($0) }
        for path in paths { results += files.found(at: path) }
        var report = CheckReport()
        for result in results {
            switch result {
            case .file(let path):
                if !report.files.contains(path) { report.add(await check(path, in: context)) }
            case .fault(let diagnostic): report.add(diagnostic)
            }
        }
        switch format {
        case .text:
            let printer = DiagnosticPrinter(console.output)
            for result in report.results {
                await console.print(printer.lines(result.diagnostics, of: result.file))
                await console.command(printer.annotations(result.diagnostics, of: result.file))
                if let summary = result.summary { await console.print(summary) }
            }
        case .json: await console.print(JSONWriter.pretty.string(report.json).lines)
        case .github: await console.command(report.annotations)
        case .sarif:
            await console.print(JSONWriter.pretty.string(report.sarif).lines)
        }
        let isSuccess = report.isValid && !(strict && report.hasWarnings)
        return isSuccess ? .success : .configuration
    }

    private func check(
        _ path: String, in context: CommandContext
    ) async -> CheckReport.Result {
        var failure: Diagnostic?
        let basedir = base.path(beside: path)
        if build {
            let builder = PluginBuilder(basedir: basedir, context)
            if await builder.build(for: path) == nil {
                failure = Diagnostic(.error, "plugins of this file can't be built; see above")
            }
        }
        let loaded = MasterConfiguration.load(
            path: path, registry: context.registry, environment: context.environment,
            loader: PluginLoader(basedir: basedir))
        var diagnostics = loaded.diagnostics + (failure.map { [$0] } ?? [])
        if secrets, let configuration = loaded.configuration {
            let fetched = await SecretFetcher(configuration).fetch()
            diagnostics += fetched.diagnostics.map { $0.located(in: loaded.file) }
        }
        let isValid = !diagnostics.contains { $0.severity == .error }
        return CheckReport.Result(
            file: path, diagnostics: diagnostics,
            summary: isValid ? loaded.configuration.map(Self.summary) : nil)
    }

    /// What a file declares, such as `master.yaml: 2 builders, 5 steps, 1 reporter`.
    static func summary(_ configuration: MasterConfiguration) -> String {
        let steps = configuration.builders.reduce(0) { $0 + $1.steps.count }
        let counts = [
            configuration.builders.count.counting("builder"), steps.counting("step"),
            configuration.reporters.count.counting("reporter"),
        ]
        return "\(configuration.path): \(counts.joined(separator: ", "))"
    }
}

/// Finds the files of a folder that declare a master.
struct ConfigurationFiles {
    enum Found {
        case file(String)
        case fault(Diagnostic)
    }

    let registry: Registry

    /// The file at a path, or the files in a folder, sorted by path.
    func found(at path: String) -> [Found] {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return [fault("no such file or folder", path)]
        }
        guard isFolder else { return [.file(path)] }
        var files: [Found] = []
        collect(path == "." ? "" : path.hasSuffix("/") ? path : path + "/", into: &files)
        guard files.isEmpty else { return files }
        return [
            fault(
                "this folder has neither a master.yaml nor another YAML file that lists a plugin, "
                    + "such as 'steps.ShellCommand'", path)
        ]
    }

    private func fault(_ message: String, _ path: String) -> Found {
        .fault(Diagnostic(.error, message, file: SourceFile(name: path, text: "")))
    }

    private func collect(_ prefix: String, into files: inout [Found]) {
        let folder = prefix.isEmpty ? "." : prefix
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            files.append(fault("the folder cannot be read: \(error)", folder))
            return
        }
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = prefix + name
            switch Self.type(of: path) {
            case .typeDirectory?: collect(path + "/", into: &files)
            case .typeRegular?, .typeSymbolicLink?:
                if isConfiguration(path, named: name) { files.append(.file(path)) }
            default: break
            }
        }
    }

    /// The type of a file; a link is not followed, so that a folder is not visited twice.
    private static func type(of path: String) -> FileAttributeType? {
        do {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return attributes[.type] as? FileAttributeType
        } catch {
            // Removed since the folder was listed.
            return nil
        }
    }

    private func isConfiguration(_ path: String, named name: String) -> Bool {
        guard name.hasSuffix(".yaml") || name.hasSuffix(".yml") else { return false }
        return declaresMaster(named: name) { YAMLParser.parse(contentsOf: path).root }
    }

    /// Whether a YAML file declares a master: by its name, or by the plugins in it.
    func declaresMaster(named name: String, _ root: () -> YAMLNode?) -> Bool {
        if name == "master.yaml" || name == "master.yml" { return true }
        guard let mapping = root()?.mapping else { return false }
        return ["steps", "services", "factories", "builders"].contains { key in
            mapping[key].map { declaresPlugin($0, depth: 0) } ?? false
        }
    }

    /// Whether a list in the node has an entry that begins with the namespace of a plugin.
    private func declaresPlugin(_ node: YAMLNode, depth: Int) -> Bool {
        guard depth < 5 else { return false }
        if let items = node.sequence {
            return items.contains { item in
                let key = item.mapping?.entries.first?.key ?? item
                let namespace = key.scalarText.flatMap(PluginKey.init(_:))?.namespace
                return namespace.map { known in
                    registry.entries.contains { $0.key.namespace == known }
                } ?? false || declaresPlugin(item, depth: depth + 1)
            }
        }
        let entries = node.mapping?.entries ?? []
        return entries.contains { declaresPlugin($0.value, depth: depth + 1) }
    }
}
