import MasterKit
import OrderedCollections

/// The settings of steps that run one command.
struct CommandSettings: Settings {
    @Setting("What to run: a program with its arguments, or a line for the shell.", .primary)
    var command: Renderable<CommandLineSetting>

    @SettingGroup var process: ProcessSettings

    /// Reports settings that have no effect together.
    func check(_ settings: SettingsCheck) {
        process.check(command, settings)
    }

    /// Runs the command with its output in a log, and returns the result.
    ///
    /// - Parameters:
    ///   - context: The running step.
    ///   - machine: The machine to run it on.
    ///   - log: The log for the output; by default a new log `stdio`.
    ///   - streams: How the output is read unless `streams` is set.
    ///   - observe: Called for each line of output.
    /// - Returns: The result for the exit code, or failure if a limit or signal ended the command.
    /// - Throws: If a setting can't be rendered, the machine fails, or the build is stopped.
    func run(
        in context: StepContext, on machine: CommandMachine = .worker,
        into log: (any StepLog)? = nil, streams: OutputStreams = .merged,
        observing observe: ((OutputLine) -> Void)? = nil
    ) async throws -> Results {
        let line = try context.render(command)
        return try await process.run(
            line, in: context, on: machine, into: log, streams: streams, observing: observe)
    }
}

/// The settings for how a command is run: its environment and its limits.
struct ProcessSettings: SettingHints {
    @Setting("The program that runs a line of shell; by default [/bin/sh, -c].")
    var shell: Renderable<LineInterpreter?>

    @Setting("Variables for the command, over those of the builder and the worker.")
    var env: Renderable<CommandEnvironment?>

    @Setting("How long the command may be silent; null for no limit.")
    var timeout: Renderable<TimeLimit?> = Renderable(TimeLimit(duration: .seconds(1200)))

    @Setting("How long it may take to end after SIGTERM, before it gets the interruptSignal.")
    var sigtermTime: Renderable<Duration?>

    @Setting("The signal that ends the command.")
    var interruptSignal: Renderable<Command.Shell.Signal> = Renderable(.kill)

    @Setting("How many lines it may print.", .named("max_lines"))
    var maxLines: Renderable<PositiveNumber?>

    @Setting("Results by exit code; all other codes are failures.")
    var decodeRC: Renderable<ExitCodeResults> = Renderable(.standard)

    @Setting("What the command reads from its standard input.")
    var initialStdin: Renderable<String?>

    @Setting("Files that the command writes, by the names of the logs that they become.")
    var logfiles: Renderable<ExactDictionary<LogFileSetting>> = Renderable([:])

    @Setting("Write the environment into the log.")
    var logEnviron = Renderable(false)

    @Setting("Read both streams as one, in the order written, or each for itself.")
    var streams: Renderable<OutputStreams?>

    @Setting("Keep standard output.", .named("want_stdout"))
    var wantStdout = Renderable(true)

    @Setting("Keep standard error.", .named("want_stderr"))
    var wantStderr = Renderable(true)

    @Setting("Give the command a terminal, on which both streams are one.")
    var usePTY = Renderable(false)

    /// A hint for a setting that these steps do not have.
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "lazylogfiles": "a log of 'logfiles' always begins with its first bytes; remove it"
        case "log_eval_func":
            "a file has no functions; write 'decodeRC', or a step plugin in Swift"
        case "suppressionFile", "suppressionList", "warningExtractor", "directoryEnterPattern",
            "directoryLeavePattern":
            "this version does not have it; let 'warningPattern' fit only what counts"
        case "stdioLogName", "obfuscated", "remote_timestamps":
            "this version does not have it; remove it"
        case "stdin", "input": "write 'initialStdin'"
        case "signal", "kill_signal": "write 'interruptSignal'"
        case _ where name.contains(" "):
            "if it begins a command, put the whole command in quotes"
        default: nil
        }
    }
}

extension ProcessSettings {
    /// Reports settings that contradict each other, or that the command has no use for.
    func check(_ command: Renderable<CommandLineSetting>, _ settings: SettingsCheck) {
        if logfiles.constant?.contains(where: { $0.key.isEmpty }) == true {
            settings.error("a log of 'logfiles' needs a name that is not empty", at: "logfiles")
        }
        guard settings.isGiven("shell"), case .program? = command.constant?.invocation
        else { return }
        settings.error(
            "'shell' runs a line of shell, but 'command' is a list, which runs without a shell; "
                + "remove 'shell', or write the command as a line", at: "shell")
    }

    /// The logs of a command, and properties that its step sets.
    func products(logs: [String] = [], properties: [String] = []) -> StepProducts {
        let files = logfiles.constant?.map(\.key)
        return StepProducts(
            logs: ["stdio"] + logs + (files ?? []), properties: properties,
            mayHaveOthers: files == nil)
    }

    /// Reports settings that contradict each other.
    func check(_ settings: SettingsCheck) {
        if streams.constant == .some(.separate), usePTY.constant == true {
            settings.error(
                "'usePTY' gives the command one terminal for both streams; remove it, or 'streams'",
                at: "streams")
        }
        guard streams.constant == .some(.merged),
            wantStdout.constant == false || wantStderr.constant == false
        else { return }
        settings.error(Self.contradiction, at: "streams")
    }

    private static let contradiction =
        "merged streams can't be kept in part; remove 'streams: merged', or 'want_stdout' and "
        + "'want_stderr'"

    /// Runs a command with its output in a log, and sets the state text to the command and any
    /// failure.
    func run(
        _ line: CommandLineSetting, in context: StepContext, on machine: CommandMachine = .worker,
        into log: (any StepLog)? = nil, streams: OutputStreams = .merged,
        observing observe: ((OutputLine) -> Void)? = nil
    ) async throws -> Results {
        let (results, words) = try await outcome(
            of: line, in: context, on: machine, into: log, streams: streams, observing: observe)
        if results != .success { await context.setSummary(words) }
        return results
    }

    /// Runs a command with its output in a log; returns the result and the state text.
    func outcome(
        of line: CommandLineSetting, in context: StepContext,
        on machine: CommandMachine = .worker, into log: (any StepLog)? = nil,
        streams: OutputStreams = .merged, observing observe: ((OutputLine) -> Void)? = nil
    ) async throws -> (results: Results, words: String) {
        let words = line.words(hiding: context.mask)
        await context.setSummary(words)
        var command = try command(line.invocation, in: context, on: machine)
        let wantsBoth = command.wantsStdout && command.wantsStderr
        let wanted = try context.render(self.streams)
        if wanted == .merged, !wantsBoth { throw RenderError(Self.contradiction) }
        command.mergesStreams = (wanted ?? (wantsBoth ? streams : .separate)) == .merged
        let codes = try context.render(decodeRC)
        let result: CommandResult
        do {
            result = try await context.run(command, on: machine, into: log, observing: observe)
        } catch let error where error.isAboutTheCommand {
            return (.failure, "\(words): \(error.commandWords)")
        }
        switch result.timedOut {
        case .silence(let limit):
            await context.noteTimeout()
            return (.failure, "\(words): no output for \(limit.inSeconds)")
        case .total:
            await context.noteTimeout()
            return (.failure, "\(words): took longer than maxTime")
        case .lines(let limit):
            return (.failure, "\(words): more than \(limit) lines of output")
        case nil: break
        }
        let results = result.exitCode.map { codes[$0] } ?? .failure
        return (results, results == .success ? words : "\(words): \(result.shortWords)")
    }

    /// A command with these settings.
    func command(
        _ invocation: Command.Invocation, in context: StepContext,
        on machine: CommandMachine = .worker
    ) throws -> Command.Shell {
        let isLocal = machine == .master
        var command = Command.Shell(
            try interpreted(invocation, in: context),
            in: isLocal ? context.masterFolder : context.workdir)
        try setLimits(of: &command, in: context)
        command.stdin = Array((try context.render(initialStdin) ?? "").utf8)
        command.logsEnvironment = try context.render(logEnviron)
        command.wantsStdout = try context.render(wantStdout)
        command.wantsStderr = try context.render(wantStderr)
        command.usesTerminal = try context.render(usePTY)
        command.logFiles = try context.render(logfiles).map { name, file in
            Command.Shell.LogFile(name, at: file.path, follows: file.follows)
        }
        command.environment = isLocal ? [:] : context.environment
        for (name, value) in try context.render(env)?.variables ?? [:] {
            command.environment.updateValue(value, forKey: name)
        }
        try context.mask.checkReferences(in: command.environment)
        return command
    }

    private func interpreted(
        _ invocation: Command.Invocation, in context: StepContext
    ) throws -> Command.Invocation {
        guard case .script(let line) = invocation, let shell = try context.render(shell)
        else { return invocation }
        return .program(shell.arguments + [line])
    }

    /// Sets the limits and signals that end the command. SIGTERM is skipped only if
    /// `interruptSignal` is set without `sigtermTime`.
    private func setLimits(of command: inout Command.Shell, in context: StepContext) throws {
        command.timeout = try context.render(timeout)?.duration
        command.maxLines = try context.render(maxLines)?.value
        command.interruptSignal = try context.render(interruptSignal)
        if let time = try context.render(sigtermTime) {
            command.terminationGrace = time
        } else if $interruptSignal.isGiven {
            command.terminationGrace = .zero
        }
    }
}

/// How the output of a command is read.
enum OutputStreams: String, SettingEnumeration {
    /// Both streams as one, with their lines in the order in which they were written.
    case merged
    /// Each stream for itself.
    case separate
}

extension SecretMask {
    /// Checks that no variable has a secret in which the worker would replace `${NAME}`.
    func checkReferences(in environment: [String: String?]) throws(RenderError) {
        for (name, value) in environment {
            guard let value, value.contains("${"), hasReference(inSecretOf: value) else { continue }
            throw RenderError(
                "the variable \(name) has a secret with '${' in it, which 'env' would take for the "
                    + "name of a variable; give the secret to the command in another way")
        }
    }

    /// Whether a secret in the value contains `${`.
    private func hasReference(inSecretOf value: String) -> Bool {
        func count(_ text: String) -> Int { text.ranges(of: "${").count }
        return count(apply(to: value)) < count(value)
    }
}

extension CommandResult {
    /// How the command ended, as a state text: `exit 2`, `killed by signal 9 (SIGKILL)`.
    var shortWords: String {
        exitCode.map { "exit \($0)" } ?? description
    }
}

extension Error {
    /// Whether the error is caused by the command rather than the machine.
    var isAboutTheCommand: Bool {
        switch (self as? CommandError)?.code {
        case .invalid, .programNotFound, .programNotExecutable, .workdir, .argumentsTooLong: true
        default: false
        }
    }

    /// Why the command could not be run, as a state text.
    var commandWords: String {
        switch (self as? CommandError)?.code {
        case .programNotFound: "program not found"
        case .programNotExecutable: "program not executable"
        case .workdir: "folder not found"
        case .argumentsTooLong: "arguments too long"
        default: (self as? CommandError)?.reason ?? "\(self)"
        }
    }
}
