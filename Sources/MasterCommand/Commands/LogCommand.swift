internal import ArgumentParser
internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// `log`: shows the output of a step.
struct LogCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "log",
            abstract: "Shows a log of a step; by default why the last run failed.",
            discussion: """
                Without a step: that of the step which failed last, or which runs, or else of the \
                last one. Without a builder: of the last run.

                Examples:

                  \(RootCommand.programName) log
                  \(RootCommand.programName) log linux
                  \(RootCommand.programName) log linux 12 compile
                  \(RootCommand.programName) log --follow
                """)
    }

    @Argument(help: ArgumentHelp("The builder.", valueName: "builder"))
    var builder: String?

    @Argument(help: ArgumentHelp("The number of the build.", valueName: "number"))
    var number: Int?

    @Argument(help: ArgumentHelp("The step, by name or number.", valueName: "step"))
    var step: String?

    @Argument(help: ArgumentHelp("The log, such as stdio.", valueName: "log"))
    var log: String?

    @Flag(
        name: [.customShort("f"), .long],
        help: "Keep showing the log as it grows, until the step has finished.")
    var follow = false

    @Option(help: ArgumentHelp("Only the last lines.", valueName: "number"))
    var tail: Int?

    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("config")],
        help: ArgumentHelp("The configuration file. (default: master.yaml)", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var file: String?

    @OptionGroup var base: BaseFolderOptions

    private static let pollInterval: Duration = .milliseconds(200)

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail \(tail): use a number from 0 on") }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let folder = base.path(beside: file ?? ConfigurationOptions.defaultFile)
        try await BuildHistory.with(folder: folder) { history in
            guard let history else { throw FailedRun("no build has run in \(folder) yet") }
            let chosen = try await LogChoice.make(
                self, in: history, among: try await history.builders())
            guard FileManager.default.fileExists(atPath: chosen.log.path) else {
                throw FailedRun("the file of this log has been removed: \(chosen.log.path)")
            }
            if log == nil { await context.console.complain(chosen.title(context.console.error)) }
            try await show(chosen.log, history, context.console)
        }
        return .success
    }

    private func show(
        _ log: BuildHistory.StepLog, _ history: BuildHistory, _ console: Console
    ) async throws {
        var printer = LogPrinter(console.output)
        var offset = 0
        if let tail { offset = try await log.offset(ofLast: tail) }
        while !console.isClosed {
            // Checked before the file is read, so that everything written before the end is read as
            // well.
            let state = try await state(of: log, history)
            var bytes = try await log.lines(from: offset)
            while !bytes.isEmpty, !console.isClosed {
                offset += bytes.count
                await console.print(printer.lines(bytes))
                bytes = try await log.lines(from: offset)
            }
            if state == .cutOff {
                await console.complain(["this log was cut off: its master has ended"])
            }
            guard follow, state == .growing else { return }
            try await Task.sleep(for: Self.pollInterval)
        }
    }

    private enum LogState {
        case complete
        case growing
        /// Not complete, but there is no master that would write it.
        case cutOff
    }

    private func state(
        of log: BuildHistory.StepLog, _ history: BuildHistory
    ) async throws -> LogState {
        guard try await history.log(log.log.id)?.isComplete == false else { return .complete }
        if try await history.hasMaster() { return .growing }
        // The master may have completed it and exited in between.
        return try await history.log(log.log.id)?.isComplete == false ? .cutOff : .complete
    }
}

/// The log to show, chosen from the arguments and sensible defaults.
struct LogChoice {
    let entry: BuildHistory.Entry
    let step: StepRecord
    let log: BuildHistory.StepLog
    /// The logs of the same name of earlier tries.
    var others: [BuildHistory.StepLog] = []

    /// Chooses a log.
    ///
    /// - Throws: ``UsageError`` if something that was named does not exist, and ``FailedRun`` if
    ///   there is nothing to choose from.
    static func make(
        _ command: LogCommand, in history: BuildHistory, among builders: [String]
    ) async throws -> LogChoice {
        let entry = try await entry(command, history, builders)
        let title = "\(entry.builder.makingControlsVisible()) #\(entry.build.number)"
        let steps = try await history.steps(of: entry.build)
        if let wanted = command.step {
            guard let step = steps.first(where: { $0.name == wanted || "\($0.number)" == wanted })
            else {
                let remedy = Suggestion.remedy(for: wanted, among: steps.map(\.name))
                throw UsageError("\(title) has no step '\(wanted)'; \(remedy)")
            }
            let logs = try await history.logs(of: step)
            guard let log = try log(command.log, of: step, logs) else {
                throw FailedRun("the step '\(step.name)' of \(title) has no log")
            }
            return LogChoice(entry: entry, step: step, log: log, others: others(log, logs))
        }
        for step in inOrder(steps) {
            let logs = try await history.logs(of: step)
            if let log = try log(nil, of: step, logs) {
                return LogChoice(entry: entry, step: step, log: log, others: others(log, logs))
            }
        }
        let state = entry.build.stateString.makingControlsVisible()
        throw FailedRun("\(title) has no logs: \(state)")
    }

    private static func entry(
        _ command: LogCommand, _ history: BuildHistory, _ builders: [String]
    ) async throws -> BuildHistory.Entry {
        guard var builder = command.builder else {
            let builds = try await history.lastBuildset()
            let failed = builds.last { ExitStatus($0.build.results) != .success }
            let running = builds.last { $0.build.results == nil }
            guard let entry = failed ?? running ?? builds.last else {
                throw FailedRun("no build has run yet")
            }
            return entry
        }
        var number = command.number
        if !builders.contains(builder), number == nil, let build = BuildArgument(argument: builder),
            let named = build.builder
        {
            (builder, number) = (named, build.number)
        }
        let known = try BuildsCommand.names(fitting: [builder], builders)
        guard known.count == 1 else {
            throw UsageError("'\(builder)' matches \(known.joined(separator: ", ")); name one")
        }
        if let entry = try await history.build(number, of: known[0]) { return entry }
        let last = try await history.build(of: known[0])?.build.number
        throw UsageError(
            "\(known[0]) has no build \(number ?? 0)"
                + (last.map { "; its last one is \($0)" } ?? ""))
    }

    /// The steps in the order in which they are most likely of interest.
    private static func inOrder(_ steps: [StepRecord]) -> [StepRecord] {
        let failed = steps.filter { $0.results == .failure || $0.results == .exception }
        let running = steps.filter { $0.results == nil && $0.startedAt != nil }
        return failed.reversed() + running.reversed() + steps.reversed()
    }

    private static func log(
        _ name: String?, of step: StepRecord, _ logs: [BuildHistory.StepLog]
    ) throws(UsageError) -> BuildHistory.StepLog? {
        guard let name else {
            let exception = step.results == .exception ? "err.text" : "stdio"
            // Every try of a step has its own log of this name.
            return logs.last { $0.log.name == exception } ?? logs.last
        }
        if let log = logs.first(where: { $0.log.slug == name })
            ?? logs.last(where: { $0.log.name == name })
        {
            return log
        }
        let remedy = Suggestion.remedy(for: name, among: logs.map(\.log.name))
        throw UsageError("the step '\(step.name)' has no log '\(name)'; \(remedy)")
    }

    private static func others(
        _ log: BuildHistory.StepLog, _ logs: [BuildHistory.StepLog]
    ) -> [BuildHistory.StepLog] {
        logs.filter { $0.log.name == log.log.name && $0.log.id != log.log.id }
    }

    /// A one-line title for the log, and how to see those of other tries.
    func title(_ traits: TerminalTraits) -> [String] {
        let paint = TextPainter(hasColour: traits.hasColour)
        let marks = StatusSymbols(hasUnicode: traits.hasUnicode)
        let build = "\(entry.builder.makingControlsVisible()) #\(entry.build.number)"
        let name = step.name.makingControlsVisible()
        let title =
            "\(marks(step.results)) \(build)  \(step.number) \(name)  "
            + paint(.dim, "\(log.log.name.makingControlsVisible())  \(log.path)")
        guard let first = others.first else { return [title] }
        let command =
            "\(RootCommand.programName) log \(entry.builder.shellQuoted) \(entry.build.number) "
            + "\(step.number) \(first.log.slug)"
        let tries = others.count == 1 ? "one other try" : "\(others.count) other tries"
        return [title, paint(.dim, "\(tries), such as: \(command)")]
    }
}

/// Formats lines of a log for a terminal or a pipe, without their channel letters.
///
/// On a terminal, the program's colors are kept, but nothing else that would move the cursor; for a
/// pipe, only the text is kept.
struct LogPrinter {
    private let traits: TerminalTraits
    private let paint: TextPainter
    /// The colors in effect at the end of the last line.
    private var colours = ""

    init(_ traits: TerminalTraits) {
        self.traits = traits
        paint = TextPainter(hasColour: traits.hasColour)
    }

    /// The lines in a chunk of a log whose lines are marked with their channels.
    mutating func lines(_ marked: [UInt8]) -> [String] {
        LogLine.lines(marked: marked).map { line($0) }
    }

    private mutating func line(_ line: LogLine) -> String {
        if line.channel == .header {
            return paint(.dim, line.text.makingControlsVisible(keepingTabs: true))
        }
        guard traits.canRedraw else { return TerminalText.plain(line.text) }
        return TerminalText.shown(line.text, keepsColours: traits.hasColour, &colours)
    }
}
