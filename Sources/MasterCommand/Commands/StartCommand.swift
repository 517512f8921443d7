internal import ArgumentParser
internal import FoundationEssentials
internal import Logging
internal import MasterKit
internal import MasterRuntime
internal import MasterWorkers

/// `start`: runs a master until it is told to stop.
struct StartCommand: MasterSubcommand {
    /// The format of the log.
    enum LogFormat: String, ExpressibleByArgument, CaseIterable {
        /// Lines for people.
        case text
        /// One JSON object per line.
        case json
    }

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "start",
            abstract: "Runs a master until it is told to stop.",
            discussion: """
                The master stays in the foreground and logs to standard error, as systemd and \
                containers expect. Requests that were pending when it last ended are built first.

                Examples:

                  \(RootCommand.programName) start
                  \(RootCommand.programName) start -c /etc/ci/master.yaml --basedir /var/lib/ci
                  \(RootCommand.programName) start --log-format json --grace 5m

                SIGTERM, Ctrl-C and 'stop' end it: no further build begins, running builds have \
                --grace to end and are otherwise run again by the next master. A second signal \
                exits immediately, unless it is a SIGTERM within a second of the first. SIGHUP \
                and 'reconfig' make it read its file again.

                Exit status: 0 stopped; 1 the master could not run; 2 the configuration is wrong.
                """)
    }

    @OptionGroup var source: ConfigurationOptions

    @OptionGroup var base: BaseFolderOptions

    @Option(
        help: ArgumentHelp(
            "How long running builds may continue at the end.", valueName: "duration"))
    var grace = DurationArgument(seconds: 30)

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp(
            "The number of builds to run in parallel. (default: one per core)", valueName: "number")
    )
    var jobs: Int?

    @Option(help: "The format of the log.")
    var logFormat = LogFormat.text

    @Flag(help: "Read the file again whenever it changes.")
    var watch = false

    @Flag(name: [.customShort("v"), .long], help: "Also log debug messages.")
    var verbose = false

    func validate() throws {
        if let jobs, !(1...1024).contains(jobs) {
            throw ValidationError("--jobs \(jobs): use a number from 1 to 1024")
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let logger = logger(in: context)
        guard logFormat == .json else { return try await start(in: context, logger) }
        do {
            return try await start(in: context, logger)
        } catch {
            // Whoever reads the log as JSON must be able to read its end, too.
            logger.error("\(error)")
            return error is UsageError ? .usage : .failure
        }
    }

    private func start(in given: CommandContext, _ logger: Logger) async throws -> ExitStatus {
        var context = given
        context.log = logger
        // Before anything else uses the environment.
        let notifier = ServiceNotifier(environment: context.environment) { logger.warning("\($0)") }
        let basedir = base.path(beside: source.file)
        let builder = PluginBuilder(basedir: basedir, context)
        guard let libraries = await builder.libraries(for: source.file) else {
            return .configuration
        }
        let reading = await StandingMaster.Reading(source.file, basedir: basedir, in: context)
        await complain(reading.diagnostics, in: context, logger)
        guard let (configuration, secrets) = reading.usable else { return .configuration }
        context.console.hide(secrets.mask)
        var options = Master.Options(
            basedir: basedir, slots: jobs, resumesRequests: true)
        options.time = context.time
        options.servers = [WorkerEndpoint(logger: logger)]
        let standing = StandingMaster(
            file: source.file, libraries: libraries, grace: grace.duration, watchesFiles: watch,
            logger: logger, notifier: notifier, context: context)
        return try await standing.run(configuration, secrets, options)
    }

    private func complain(
        _ diagnostics: [Diagnostic], in context: CommandContext, _ logger: Logger
    ) async {
        guard logFormat == .json else {
            let printer = DiagnosticPrinter(context.console.error)
            return await context.console.complain(printer.lines(diagnostics, of: source.file))
        }
        for diagnostic in diagnostics {
            let text = diagnostic.rendered { $1 }
            logger.log(level: diagnostic.severity == .error ? .error : .warning, "\(text)")
        }
    }

    private func logger(in context: CommandContext) -> Logger {
        let (console, format) = (context.console, logFormat)
        let level = verbose ? Logger.Level.debug : .info
        return Logger(label: "buildmaster") { _ in
            switch format {
            case .text:
                PlainLogHandler(console, level: level, noting: LoggedErrors(), withTime: true)
            case .json: JSONLogHandler(console, level: level)
            }
        }
    }
}
