internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// `check`: finds every mistake in a file without running anything.
struct CheckCommand: MasterSubcommand {
    /// The output format.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        /// Text for users.
        case text
        /// One JSON object.
        case json
    }

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: "Finds every mistake in a configuration; runs and sends nothing.",
            discussion: """
                Each mistake is shown with its place and how to fix it. The exit status is 0 when \
                the file can be run, with or without warnings, and 2 when it cannot.

                Examples:

                  \(RootCommand.programName) check
                  \(RootCommand.programName) check -c ci/master.yaml --secrets
                  \(RootCommand.programName) check --format json
                """,
            aliases: ["checkconfig"])
    }

    @OptionGroup var source: ConfigurationOptions

    @Option(help: "The output format.")
    var format = Format.text

    @Flag(help: "Also build the plugin packages that the file names and that have changed.")
    var build = false

    @Flag(help: "Also fetch every secret, and report those that are missing.")
    var secrets = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        if build {
            let basedir = BaseFolderOptions.standardPath(beside: source.file)
            guard await PluginBuilder(basedir: basedir, context).build(for: source.file) != nil
            else { return .configuration }
        }
        let loaded = MasterConfiguration.load(
            path: source.file, registry: context.registry, environment: context.environment)
        var diagnostics = loaded.diagnostics
        if secrets, let configuration = loaded.configuration {
            let fetched = await SecretFetcher(configuration).fetch()
            diagnostics += fetched.diagnostics.map { $0.located(in: loaded.file) }
        }
        let isValid = !diagnostics.contains { $0.severity == .error }
        switch format {
        case .json:
            let report = CheckReport.json(diagnostics)
            await context.console.print(JSONWriter.pretty.string(report).lines)
        case .text:
            let printer = DiagnosticPrinter(context.console.output)
            await context.console.print(printer.lines(diagnostics, of: source.file))
            await context.console.command(printer.annotations(diagnostics, of: source.file))
            if isValid, let configuration = loaded.configuration {
                await context.console.print(Self.summary(configuration))
            }
        }
        return isValid ? .success : .configuration
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
