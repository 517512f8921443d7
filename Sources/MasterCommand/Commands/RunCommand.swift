internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// `run`: builds, delivers the reports, and ends.
struct RunCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "run",
            abstract: "Runs builders, delivers the reports of their builds, and ends.",
            discussion: """
                Without a BUILDER all builders of the file run, in its order, except those that \
                are triggeredOnly. The last lines tell how each step went and where each report \
                arrived; a report that did not arrive is kept and sent by the next run.

                Examples:

                  \(RootCommand.programName) run
                  \(RootCommand.programName) run --receiver
                  \(RootCommand.programName) run linux macos -p config=release -p jobs:=4
                  \(RootCommand.programName) run -c ci/master.yaml --jobs 1 --verbose

                Ctrl-C stops the builds; their reports still go out, and steps that always run \
                still do. A second one stops those too, a third (or a second TERM) ends at once.
                """)
    }

    @Argument(help: ArgumentHelp("The builders to run.", valueName: "builder"))
    var builders: [String] = []

    @OptionGroup var source: ConfigurationOptions

    @Option(
        name: [.customShort("p"), .customLong("property")],
        help: ArgumentHelp(
            "A property of the builds, which wins over those of the file; NAME:=VALUE takes a "
                + "YAML value.", valueName: "name=value"),
        transform: { try PropertyArgument($0) })
    var properties: [PropertyArgument] = []

    @Option(
        help: ArgumentHelp(
            "How long reports may take at the end; by default 10s, and then a receiver that was "
                + "never there is not waited for.", valueName: "duration"))
    var drain: DurationArgument?

    @OptionGroup var base: BaseFolderOptions

    @Option(
        help: ArgumentHelp(
            "Receive and show the reports of this run: --receiver does so on "
                + "\(ReceiverAddress()), --receiver=HOST:PORT elsewhere.", valueName: "host:port"))
    var receiver: AddressArgument?

    @Option(
        help: ArgumentHelp(
            "Builds that run side by side. (default: one a core)", valueName: "number"))
    var jobs: Int?

    @Flag(help: "Show only errors and the last line.")
    var quiet = false

    @Flag(help: "Show the output of steps as it comes, and what the program does.")
    var verbose = false

    @OptionGroup var stamp: SourceOptions

    @Option(help: ArgumentHelp("Why it is built.", valueName: "text"))
    var reason = "run from the command line"

    @Option(help: ArgumentHelp("Who wants it built.", valueName: "name"))
    var owner: String?

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs \(jobs): between 1 and 1024 builds can run side by side")
        }
        if quiet, verbose {
            throw ValidationError("--quiet and --verbose contradict each other; keep one")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let loaded = MasterConfiguration.load(
            path: source.file, registry: context.registry, environment: context.environment)
        await complain(loaded.diagnostics, loaded.file, context)
        guard let configuration = loaded.configuration else { return .configuration }
        let secrets = await SecretFetcher(configuration).fetch()
        await complain(secrets.diagnostics, loaded.file, context)
        guard secrets.isComplete else { return .configuration }
        let run = MasterRun(
            configuration: configuration, secrets: secrets.values,
            options: BuildMaster.Options(
                basedir: base.path(beside: source.file),
                slots: jobs ?? ProcessInfo.processInfo.activeProcessorCount),
            request: request(in: configuration),
            drain: drain.map { .patient($0.duration) } ?? .standard,
            advice: DeliveriesAdvice(options: base.spelling(source)),
            receiver: receiver?.address, detail: quiet ? .quiet : verbose ? .verbose : .normal,
            context: context)
        return try await run.run()
    }

    private func complain(
        _ diagnostics: [Diagnostic], _ file: SourceFile, _ context: CommandContext
    ) async {
        let printer = DiagnosticPrinter(context.console.error)
        let lines = printer.lines(diagnostics.located(in: file), of: source.file)
        await context.console.complain(lines)
    }

    private func request(in configuration: MasterConfiguration) -> BuildsetRequest {
        var wanted = Properties()
        if let owner { wanted.set("owner", .string(owner), source: Self.propertySource) }
        for property in properties {
            wanted.set(property.name, property.value, source: Self.propertySource)
        }
        return BuildsetRequest(
            builders: builders.isEmpty ? nil : builders, reason: reason,
            sourceStamps: [sourceStamp(in: configuration)], properties: wanted)
    }

    private static let propertySource = "command line"

    private func sourceStamp(in configuration: MasterConfiguration) -> SourceStamp {
        let checkout = GitCheckout(around: configuration.folder)
        return SourceStamp(
            branch: stamp.branch ?? checkout?.branch,
            revision: stamp.revision ?? checkout?.revision,
            repository: stamp.repository ?? checkout?.repository ?? "",
            project: stamp.project ?? "", codebase: stamp.codebase ?? "")
    }
}
