internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// `run`: builds, delivers the reports, and exits.
struct RunCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "run",
            abstract: "Runs builders, delivers the reports of their builds, and exits.",
            discussion: """
                Without a BUILDER, all builders of the file run in order, except those that are \
                triggeredOnly. The summary shows the result of each step and where each report \
                was delivered; undelivered reports are kept, and sent by the next run.

                Examples:

                  \(RootCommand.programName) run
                  \(RootCommand.programName) run --receiver
                  \(RootCommand.programName) run linux macos -p config=release -p jobs:=4
                  \(RootCommand.programName) run -c ci/master.yaml --jobs 1 --verbose

                Ctrl-C stops the builds; steps with alwaysRun still run, and reports are still \
                sent. Press it again to stop those steps, too; a third time (or a second TERM) \
                exits immediately.
                """)
    }

    @Argument(help: ArgumentHelp("The builders to run.", valueName: "builder"))
    var builders: [String] = []

    @OptionGroup var source: ConfigurationOptions

    @Option(
        name: [.customShort("p"), .customLong("property")],
        help: ArgumentHelp(
            "Sets a property of the builds, over those of the file; NAME:=VALUE takes a YAML "
                + "value.", valueName: "name=value"),
        transform: { try PropertyArgument($0) })
    var properties: [PropertyArgument] = []

    @Option(
        help: ArgumentHelp(
            "How long to wait for reports at the end. (default: 10s, not waiting for receivers "
                + "that never answered)", valueName: "duration"))
    var drain: DurationArgument?

    @OptionGroup var base: BaseFolderOptions

    @Option(
        help: ArgumentHelp(
            "Receive and show the reports of this run. (--receiver alone listens on "
                + "\(ReceiverAddress()))", valueName: "host:port"))
    var receiver: AddressArgument?

    @Option(
        help: ArgumentHelp(
            "The number of builds to run in parallel. (default: one per core)", valueName: "number")
    )
    var jobs: Int?

    @Flag(help: "Show only errors and the last line.")
    var quiet = false

    @Flag(help: "Also show the output of steps and debug messages.")
    var verbose = false

    @OptionGroup var stamp: SourceOptions

    @Option(help: ArgumentHelp("The reason for the builds.", valueName: "text"))
    var reason = "run from the command line"

    @Option(help: ArgumentHelp("The owner of the builds.", valueName: "name"))
    var owner: String?

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs \(jobs): use a number from 1 to 1024")
        }
        if quiet, verbose {
            throw ValidationError("--quiet and --verbose contradict each other; keep one")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        async let checkout = Self.checkout(
            around: source.folder, isWanted: !stamp.isComplete, context.environment)
        let loaded = MasterConfiguration.load(
            path: source.file, registry: context.registry, environment: context.environment)
        await complain(loaded.diagnostics, loaded.file, context)
        guard let configuration = loaded.configuration else { return .configuration }
        let secrets = await SecretFetcher(configuration).fetch()
        await complain(secrets.diagnostics, loaded.file, context)
        guard secrets.isComplete else { return .configuration }
        let stamp = await sourceStamp(checkout, context)
        let run = MasterRun(
            configuration: configuration, secrets: secrets.values,
            options: Master.Options(
                basedir: base.path(beside: source.file),
                slots: jobs ?? ProcessInfo.processInfo.activeProcessorCount),
            request: request(of: stamp),
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
        let lines = printer.lines(
            diagnostics.map { $0.located(in: file) }, of: source.file)
        await context.console.complain(lines)
    }

    private func request(of stamp: SourceStamp) -> BuildsetRequest {
        var wanted = Properties()
        if let owner { wanted.set("owner", .string(owner), source: Self.propertySource) }
        for property in properties {
            wanted.set(property.name, property.value, source: Self.propertySource)
        }
        return BuildsetRequest(
            builders: builders.isEmpty ? nil : builders, reason: reason,
            sourceStamps: [stamp], properties: wanted)
    }

    private static let propertySource = "command line"

    private static func checkout(
        around folder: String, isWanted: Bool, _ environment: [String: String]
    ) async -> Result<GitCheckout?, GitError> {
        guard isWanted else { return .success(nil) }
        do throws(GitError) {
            return .success(try await GitCheckout.find(around: folder, environment: environment))
        } catch {
            return .failure(error)
        }
    }

    /// Returns the source stamp from the options and the checkout, and warns if git failed.
    private func sourceStamp(
        _ found: Result<GitCheckout?, GitError>, _ context: CommandContext
    ) async -> SourceStamp {
        let checkout: GitCheckout?
        switch found {
        case .success(let known): checkout = known
        case .failure where stamp.branch != nil && stamp.revision != nil: checkout = nil
        case .failure(let error):
            checkout = nil
            let paint = TextPainter(hasColour: context.console.error.hasColour)
            await context.console.complain([paint(.boldYellow, "warning:") + " \(error)"])
        }
        return SourceStamp(
            branch: stamp.branch ?? checkout?.branch,
            revision: stamp.revision ?? checkout?.revision,
            repository: stamp.repository ?? checkout?.repository ?? "",
            project: stamp.project ?? "", codebase: stamp.codebase ?? "")
    }
}
