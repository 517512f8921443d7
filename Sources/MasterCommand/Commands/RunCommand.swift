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
                  \(RootCommand.programName) run linux 'test-*' -p config=release -p jobs=4
                  \(RootCommand.programName) run --failed --from test
                  \(RootCommand.programName) run --source
                  \(RootCommand.programName) run -c ci/master.yaml -j 1 -v
                  \(RootCommand.programName) run --workers

                Ctrl-C stops the builds; steps with alwaysRun still run, and reports are still \
                sent. Press it again to stop those steps, too; a third time exits immediately, \
                and so does a second TERM that comes a second or more after the first.
                """)
    }

    @Argument(
        help: ArgumentHelp(
            "The builders to run, by name or by a pattern such as 'linux-*'.",
            valueName: "builder"))
    var builders: [String] = []

    @Option(help: ArgumentHelp("Only builders with this tag; repeatable.", valueName: "name"))
    var tag: [String] = []

    @Flag(help: "Only builders whose last request did not succeed.")
    var failed = false

    @Flag(help: "List the builders that would run and run nothing.")
    var list = false

    @Flag(help: "Show what would run, step by step, and run nothing.")
    var dryRun = false

    @OptionGroup var steps: StepOptionGroup

    @OptionGroup var source: ConfigurationOptions

    @Option(
        name: [.customShort("p", allowingJoined: true), .customLong("property")],
        help: ArgumentHelp(
            "Sets a property of the builds, over those of the file and with the type that it has "
                + "there; NAME:=VALUE takes a YAML value.", valueName: "name=value"),
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
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp(
            "The number of builds to run in parallel. (default: one per core)", valueName: "number")
    )
    var jobs: Int?

    @Flag(help: "Build on the workers of the file; without it, all builds run on this machine.")
    var workers = false

    @Option(
        help: ArgumentHelp(
            "How long builds wait for a worker with --workers. (default: 1m)",
            valueName: "duration"))
    var workerTimeout: DurationArgument?

    @Flag(name: [.customShort("q"), .long], help: "Show only errors and the last line.")
    var quiet = false

    @Flag(
        name: [.customShort("v"), .long],
        help: "Also show the output of steps and debug messages.")
    var verbose = false

    @Flag(help: "Write JSON: with --list one object, else a line for each event.")
    var json = false

    @Flag(help: "Write the JSON Schema of the lines of --json and run nothing.")
    var jsonSchema = false

    @Flag(
        help: "Ask when a step fails: retry it, skip it, open a shell in its folder, or abort.")
    var pauseOnFailure = false

    @Flag(help: "Run again whenever files change that git does not ignore, until Ctrl-C.")
    var watch = false

    @OptionGroup var files: ResultFileOptions

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
        if list, dryRun {
            throw ValidationError("--list and --dry-run contradict each other; keep one")
        }
        if pauseOnFailure, json || list || dryRun {
            throw ValidationError(
                "--pause-on-failure can't be used with --json, --list or --dry-run; omit one")
        }
        if workers, pauseOnFailure {
            throw ValidationError("--pause-on-failure can't be used with --workers; omit one")
        }
        if workers, stamp.tree != nil {
            throw ValidationError(
                "--source can't be used with --workers, as other machines don't have the working "
                    + "tree; omit one")
        }
        if workerTimeout != nil, !workers {
            throw ValidationError("--worker-timeout has no effect without --workers; add that")
        }
        if watch, list || dryRun {
            throw ValidationError("--watch can't be used with --list or --dry-run; omit one")
        }
        if json, quiet || dryRun {
            throw ValidationError("--json can't be used with --quiet or --dry-run; omit one")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        guard !pauseOnFailure || FailurePause.isPossible else {
            throw UsageError("--pause-on-failure needs a terminal to ask at; omit it")
        }
        if jsonSchema {
            await context.console.print(JSONWriter.pretty.string(EventLines.schema).lines)
            return .success
        }
        guard watch else { return try await runOnce(in: context) }
        let project = await ProjectWatch(
            around: stamp.tree ?? source.folder, basedir: base.path(beside: source.file), context)
        return try await project.repeating { try await runOnce(in: context) }
    }

    private func runOnce(in context: CommandContext) async throws -> ExitStatus {
        if let file = builders.first(where: BuilderSelection.isFile),
            FileManager.default.fileExists(atPath: file)
        {
            throw BuilderSelection.file(file)
        }
        async let checkout = Self.checkout(
            around: stamp.tree ?? source.folder, isWanted: !stamp.isComplete && !list,
            context.environment)
        let basedir = base.path(beside: source.file)
        let builder = PluginBuilder(basedir: basedir, context)
        guard await builder.build(for: source.file) != nil else { return .configuration }
        let loaded = MasterConfiguration.load(
            path: source.file, registry: context.registry, environment: context.environment,
            loader: PluginLoader(basedir: basedir))
        await complain(loaded.diagnostics, loaded.file, context)
        guard var configuration = loaded.configuration else { return .configuration }
        if !workers {
            configuration = configuration.withoutWorkers
        } else if configuration.workers == nil {
            throw UsageError(
                "--workers: \(source.file) has no workers; add 'workers', or omit --workers")
        }
        var chosen =
            listsAll
            ? Array(configuration.builders)
            : try BuilderSelection(names: builders, tags: tag).builders(of: configuration)
        if failed {
            chosen = try await Self.failed(among: chosen, in: basedir)
            guard !chosen.isEmpty || (list && json) else {
                await context.console.print("the last build of each builder succeeded")
                return .success
            }
        }
        let overrides = try PropertyOverrides(
            properties, for: chosen.filter { !listsAll || !$0.isTriggeredOnly }, in: configuration)
        await warn(overrides.warnings, context)
        let wanted = StepFilter(steps.selection, configuration, context.environment, basedir)
        let request = request(for: chosen, overrides, await sourceStamp(checkout, context))
        let fitting = try wanted.builders(among: chosen, request)
        await note(chosen.filter { one in !fitting.contains { $0.name == one.name } }, context)
        if list {
            await print(fitting, context)
            return .success
        }
        var narrowed = request
        narrowed.builders = fitting.map(\.name)
        if dryRun {
            let report = DryRunReport(
                context.console.output, steps.selection, among: fitting.map(\.name))
            for builder in fitting {
                await context.console.print(report.lines(wanted.preview(of: builder, request)))
            }
            return .success
        }
        let tree = try await workingTree(for: fitting, context)
        try files.results.check(besides: source.file, basedir)
        let secrets = await SecretFetcher(configuration).fetch()
        context.console.hide(secrets.values.mask)
        await complain(secrets.diagnostics, loaded.file, context)
        guard secrets.isComplete else { return .configuration }
        let run = MasterRun(
            configuration: configuration, secrets: secrets.values,
            options: options(basedir, tree, context),
            request: narrowed, steps: steps.selection,
            drain: drain.map { .patient($0.duration) } ?? .standard,
            advice: DeliveriesAdvice(options: base.spelling(source)),
            receiver: receiver?.address, results: files.results,
            detail: quiet ? .quiet : verbose ? .verbose : .normal,
            isJSON: json,
            workerWait: workers ? WorkerWait(limit: workerTimeout?.duration ?? .seconds(60)) : nil,
            context: context)
        return try await run.run()
    }

    private func options(
        _ basedir: String, _ tree: WorkingTree?, _ context: CommandContext
    ) -> Master.Options {
        var options = Master.Options(
            basedir: basedir, slots: jobs ?? ProcessInfo.processInfo.activeProcessorCount)
        options.aids.workingTree = tree
        options.usesWorkers = workers
        if pauseOnFailure {
            let pause = FailurePause(context.console, context.environment)
            options.aids.failureQuestion = { await pause.decide($0) }
        }
        return options
    }

    /// The working tree of `--source`; warns if no builder takes it.
    private func workingTree(
        for builders: [BuilderConfiguration], _ context: CommandContext
    ) async throws -> WorkingTree? {
        guard let folder = stamp.tree else { return nil }
        let tree = try await GitCheckout.workingTree(
            around: folder, environment: context.environment)
        if !builders.contains(where: \.hasSources) {
            await warn(
                ["--source has no effect: none of these builders has a step steps.Git"], context)
        }
        return tree
    }

    /// Whether to list all builders, including those that run only if they are named.
    private var listsAll: Bool {
        list && builders.isEmpty && tag.isEmpty && !failed && steps.selection.isEverything
    }

    private func print(_ listed: [BuilderConfiguration], _ context: CommandContext) async {
        let console = context.console
        if json {
            await console.print(JSONWriter.pretty.string(BuilderList.json(listed)).lines)
            return
        }
        let width = console.output.canRedraw ? console.size.columns : Int.max
        await console.print(BuilderList(console.output).lines(listed, width: width))
    }

    /// The builders whose last request did not succeed; it may have ended before a build began.
    private static func failed(
        among builders: [BuilderConfiguration], in basedir: String
    ) async throws -> [BuilderConfiguration] {
        let failed = try await BuildHistory.with(folder: basedir) { history in
            try await history?.buildersToRepeat() ?? []
        }
        return builders.filter { failed.contains($0.name) }
    }

    /// Prints which builders are left out because they lack a step.
    private func note(_ left: [BuilderConfiguration], _ context: CommandContext) async {
        guard !left.isEmpty else { return }
        let names = left.map { $0.name.makingControlsVisible() }.joined(separator: ", ")
        await context.console.complain(["note: left out, because they have no such step: \(names)"])
    }

    private func warn(_ warnings: [String], _ context: CommandContext) async {
        let paint = TextPainter(hasColour: context.console.error.hasColour)
        await context.console.complain(
            warnings.map { paint(.boldYellow, "warning:") + " " + $0.makingControlsVisible() })
    }

    private func complain(
        _ diagnostics: [Diagnostic], _ file: SourceFile, _ context: CommandContext
    ) async {
        let printer = DiagnosticPrinter(context.console.error)
        let located = diagnostics.map { $0.located(in: file) }
        await context.console.complain(printer.lines(located, of: source.file))
        await context.console.command(
            printer.annotations(located, of: source.file), to: .error)
    }

    private func request(
        for builders: [BuilderConfiguration], _ overrides: PropertyOverrides, _ stamp: SourceStamp
    ) -> BuildsetRequest {
        var wanted = Properties()
        if let owner { wanted.set("owner", .string(owner), source: Self.propertySource) }
        for (name, value) in overrides.values {
            wanted.set(name, value, source: Self.propertySource)
        }
        return BuildsetRequest(
            builders: builders.map(\.name), reason: reason, sourceStamps: [stamp],
            properties: wanted)
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
