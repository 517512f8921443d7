internal import MasterKit
internal import MasterRuntime
internal import OrderedCollections

/// One run of a program on a worker, with the same header as on this machine.
struct RemoteProgram {
    private let shell: Command.Shell
    private let worker: RemoteWorker
    private let started: ContinuousClock.Instant
    /// Distinguishes the processes of this command from all others.
    private let token = String(UInt64.random(in: .min ... .max), radix: 36)

    init(_ shell: Command.Shell, on worker: RemoteWorker, started: ContinuousClock.Instant) {
        self.shell = shell
        self.worker = worker
        self.started = started
    }

    func run(_ updates: (CommandUpdate) async throws -> Void) async throws -> CommandResult {
        let followed = try await followedSizes()
        let command = try wireCommand(followed)
        func header(_ text: String) async throws { try await updates(update(.header(text))) }
        try await header(CommandHeader.begin(shell, in: shell.workdir))
        if shell.logsEnvironment { try await header(CommandHeader.environment(environment)) }
        try await updates(update(.started()))
        // Ends with the command.
        let watch = Task { try await endLeftovers() }
        defer { watch.cancel() }
        var output = RemoteOutput(
            shell, known: followed, notFound: notFound, notExecutable: notExecutable)
        let result: WireResult
        do {
            result = try await worker.perform(
                command, silence: shell.timeout, grace: shell.terminationGrace,
                unless: { [worker, token] in try await worker.runs(worker.mark.of(token)) }
            ) { message in
                switch message {
                case .update(let pairs):
                    for content in try output.contents(of: pairs) {
                        try await updates(update(content))
                    }
                case .write, .read:
                    throw WorkerConnection.fault("it transferred a file for a program")
                case .closed, .complete: break
                }
            }
        } catch let end as ConnectionEnd {
            try await header("the output ends here: \(end.reason)\n")
            throw end
        } catch is CancellationError {
            await endSurvivors()
            throw CancellationError()
        }
        if output.isNotFound { throw missingProgram }
        if output.isNotExecutable { throw lockedProgram }
        guard let code = result.exitCode else {
            throw worker.inability(.system, "ended the program without an exit code")
        }
        let limit = limit(result.failureReason)
        if let limit {
            await endSurvivors()
            try await header(CommandHeader.timedOut(limit))
        }
        let ending: CommandResult.Ending =
            result.signal.map { .killed(signal: $0) }
            ?? .exited(code: Int32(truncatingIfNeeded: code))
        try await updates(update(.ended))
        watch.cancel()
        if case .success(let ended) = await watch.result, !ended.isEmpty {
            try await header(CommandHeader.ended(ended))
        }
        let elapsed = ContinuousClock.now - started
        try await header(CommandHeader.end(ending, elapsed: elapsed))
        return CommandResult(ending, timedOut: limit, elapsed: elapsed)
    }

    private func update(_ content: CommandUpdate.Content) -> CommandUpdate {
        CommandUpdate(content, elapsed: .now - started)
    }

    private var environment: [String] {
        var variables = worker.info.environment
        for (name, value) in shell.environment { variables[name] = value }
        return variables.map { "\($0.key)=\($0.value)" }
    }

    private func limit(_ reason: String?) -> CommandResult.Limit? {
        switch reason {
        case "timeout_without_output": shell.timeout.map { .silence($0) }
        case "timeout": shell.maxTime.map { .total($0) }
        case "max_lines_failure": shell.maxLines.map { .lines($0) }
        default: nil
        }
    }

    // MARK: The command

    /// What the wrapper writes if the program does not exist.
    private var notFound: String { "buildmaster-\(token): program not found" }

    /// What the wrapper writes if the program can't be executed.
    private var notExecutable: String { "buildmaster-\(token): program not executable" }

    // The same words as on this machine.

    private var lockedProgram: CommandError {
        CommandError(
            .programNotExecutable,
            "the program \(place) cannot be run: it is not executable; run chmod +x on it")
    }

    private var missingProgram: CommandError {
        let name = shell.invocation.arguments.first ?? ""
        let path = (shell.environment["PATH"] ?? worker.info.environment["PATH"]) ?? ""
        return CommandError(
            .programNotFound,
            (name.contains("/")
                ? "there is nothing at \(place)"
                : "the program \(name) was not found in PATH (\(path))")
                + "; install it, or correct its name")
    }

    /// The path of a program that is given by its path.
    private var place: String {
        let name = shell.invocation.arguments.first ?? ""
        return name.hasPrefix("/") ? name : "\(shell.workdir)/\(name)"
    }

    private func wireCommand(_ followed: [String: Int]) throws -> WireCommand {
        let arguments = shell.invocation.arguments
        guard let program = arguments.first, !program.isEmpty else {
            throw CommandError(.invalid, "the command is empty; name a program")
        }
        guard !arguments.contains(where: { $0.utf8.contains(0) }) else {
            throw CommandError(.invalid, "an argument of the command contains a NUL; remove it")
        }
        var input = MessagePack.null
        if !shell.stdin.isEmpty {
            guard let text = String(validating: shell.stdin, as: UTF8.self) else {
                throw worker.inability(
                    .invalid, "can't take standard input that is not UTF-8; pass it as a file")
            }
            input = .text(text)
        }
        var variables: OrderedDictionary<String, MessagePack> = [:]
        for (name, value) in shell.environment.sorted(by: { $0.key < $1.key }) {
            // A null removes the variable of the worker.
            variables.updateValue(value.map { .text($0) } ?? .null, forKey: name)
        }
        variables[CommandMark.variable] = .text(worker.mark.value(token))
        var logFiles: OrderedDictionary<String, MessagePack> = [:]
        for file in shell.logFiles {
            logFiles[file.name] = .map([
                "filename": .text(file.path),
                "follow": .bool(file.follows && followed[file.name] == nil),
            ])
        }
        return .shell([
            "command": .list(
                (["/bin/sh", "-c", wrapper, "buildmaster"] + arguments).map { .text($0) }),
            "workdir": .text(shell.workdir), "env": .map(variables),
            "timeout": Self.seconds(shell.timeout), "maxTime": Self.seconds(shell.maxTime),
            "sigtermTime": shell.terminationGrace > .zero
                ? Self.seconds(shell.terminationGrace) : nil,
            "interruptSignal": .text(shell.interruptSignal.rawValue),
            "max_lines": shell.maxLines.map { .int(Int64($0)) } ?? nil,
            "want_stdout": .bool(shell.wantsStdout), "want_stderr": .bool(shell.wantsStderr),
            "logfiles": .map(logFiles), "initial_stdin": input,
            "usePTY": .bool(shell.usesTerminal), "logEnviron": false,
        ])
    }

    /// The largest file that is sent from its beginning only to be followed from its end.
    private static let followedLimit = 1 << 20

    /// The sizes of log files to be followed from their ends, unless they are large.
    ///
    /// A stock worker would begin with the end at which it finds a file changed, seconds later.
    private func followedSizes() async throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        for file in shell.logFiles where file.follows {
            let path = FilePaths.absolute(file.path, in: shell.workdir)
            let size = try await worker.perform(.stat(path)) { _ in }.status?[6] ?? 0
            if size <= Self.followedLimit { sizes[file.name] = size }
        }
        return sizes
    }

    /// Replaces itself by the program, in the same process.
    private var wrapper: String {
        var lines = [
            "command -v \"$1\" >/dev/null 2>&1 || { echo '\(notFound)' >&2; exit 127; }",
            "case \"$1\" in */*) [ -f \"$1\" ] && [ -x \"$1\" ] || "
                + "{ echo '\(notExecutable)' >&2; exit 126; };; esac",
        ]
        if shell.mergesStreams, shell.wantsStdout, shell.wantsStderr { lines.append("exec 2>&1") }
        // By this, processes tell later whether the program still runs.
        lines.append("\(CommandMark.variable)=$\(CommandMark.variable)$$")
        lines.append("exec \"$@\"")
        return lines.joined(separator: "\n")
    }

    private static func seconds(_ duration: Duration?) -> MessagePack {
        duration.map { .double($0 / .seconds(1)) } ?? nil
    }

    // MARK: Survivors

    /// When it is first looked whether the program has exited, and how often at least after that.
    private static let looks: (first: Duration, last: Duration) = (.seconds(5), .seconds(20))

    /// Ends the processes that the program has left running if they hold its output open, with
    /// which a stock worker lets a command last.
    ///
    /// - Returns: What it has ended.
    private func endLeftovers() async throws -> [String] {
        var pause = Self.looks.first
        while true {
            try await Task.sleep(for: pause)
            pause = min(pause * 2, Self.looks.last)
            let (code, output) = try await worker.script(
                CommandMark.leftovers, worker.mark.of(token))
            guard code == 0 else { return [] }
            let processes = output.split(separator: "\n").map { line in
                let words = line.split(separator: " ", maxSplits: 1)
                return "\(words.last.map { String($0).shortened } ?? "?") (\(words[0]))"
            }
            guard !processes.isEmpty else { continue }
            try await Task.sleep(for: shell.drainTime)
            await endSurvivors()
            return processes
        }
    }

    /// Kills processes of the command that left its process group.
    private func endSurvivors() async {
        // Also in a task that was cancelled; ends with the command.
        await Task { [worker, token] in
            do {
                _ = try await worker.sweep(worker.mark.of(token))
            } catch {
                // The connection has ended; the next one begins with a sweep.
            }
        }.value
    }
}

extension RemoteWorker {
    /// Kills all processes on the worker whose environment contains a mark.
    ///
    /// - Returns: The exit code of the script, and the processes that were killed after `ended`.
    func sweep(_ mark: String) async throws -> (code: Int, words: [Substring]) {
        let (code, output) = try await script(CommandMark.sweep, mark)
        return (code, output.split(whereSeparator: \.isWhitespace))
    }

    /// Whether there is a process on the worker whose environment contains a mark.
    func runs(_ mark: String) async throws -> Bool {
        try await script(CommandMark.search, mark).code == 0
    }

    /// Runs a script of ours, and returns its exit code and what it wrote.
    func script(
        _ text: String, _ arguments: String...
    ) async throws -> (code: Int, output: String) {
        var output = ""
        let words = ["/bin/sh", "-c", text, "buildmaster"] + arguments
        let result = try await perform(
            .shell([
                "command": .list(words.map { .text($0) }), "workdir": .text(info.basedir),
                "env": .map(["LC_ALL": "C"]), "timeout": 60, "maxTime": 300, "logEnviron": false,
            ]), silence: .seconds(60)
        ) { message in
            guard case .update(let pairs) = message else { return }
            for (key, value) in pairs where key == "stdout" {
                let text = try WireResult.text(of: value, key)
                if output.utf8.count + text.utf8.count < 64 << 10 { output += text }
            }
        }
        guard let code = result.exitCode else {
            throw inability(.system, "ended a script without an exit code")
        }
        return (code, output)
    }
}

/// Turns updates about a program into its output.
private struct RemoteOutput {
    private let shell: Command.Shell
    private let notFound: String
    private let notExecutable: String
    /// The bytes at the beginnings of log files that were there before.
    private var known: [String: Int]
    /// The lines that may still come; the worker ends the program a little after the last one.
    private var restLines: Int
    /// Whether the wrapper said that there is no such program.
    private(set) var isNotFound = false
    /// Whether the wrapper said that the program can't be executed.
    private(set) var isNotExecutable = false

    init(
        _ shell: Command.Shell, known: [String: Int], notFound: String, notExecutable: String
    ) {
        self.shell = shell
        self.known = known
        restLines = shell.maxLines.map { $0 == .max ? $0 : $0 + 1 } ?? .max
        self.notFound = notFound + "\n"
        self.notExecutable = notExecutable + "\n"
    }

    mutating func contents(
        of pairs: [(key: String, value: MessagePack)]
    ) throws -> [CommandUpdate.Content] {
        var contents: [CommandUpdate.Content] = []
        for (key, value) in pairs {
            switch key {
            case "stdout", "stderr":
                let text = try WireResult.text(of: value, key)
                if text.hasSuffix(notFound) {
                    isNotFound = true
                    continue
                }
                if text.hasSuffix(notExecutable) {
                    isNotExecutable = true
                    continue
                }
                let stream: CommandUpdate.OutputStream = key == "stdout" ? .stdout : .stderr
                let bytes = linesWithinLimit(of: text)
                if !bytes.isEmpty { contents.append(.output(stream, bytes)) }
            case "log":
                guard let list = value.list, list.count == 2, let name = list[0].text else {
                    throw WireResult.fault(key, value)
                }
                guard shell.logFiles.contains(where: { $0.name == name }) else {
                    throw WorkerConnection.fault(
                        "it sent the log file '\(name.shortened)', which was not wanted")
                }
                var bytes = Array(try WireResult.text(of: list[1], key).utf8)
                if let size = known[name], size > 0 {
                    known[name] = max(0, size - bytes.count)
                    bytes.removeFirst(min(size, bytes.count))
                }
                if !bytes.isEmpty { contents.append(.logFile(name, bytes)) }
            default: break
            }
        }
        return contents
    }

    /// The lines of a text that `max_lines` allows, and the first one beyond it.
    private mutating func linesWithinLimit(of text: String) -> [UInt8] {
        var bytes = Array(text.utf8)
        guard shell.maxLines != nil else { return bytes }
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        if ends.count > restLines {
            bytes.removeSubrange((restLines == 0 ? 0 : ends[restLines - 1] + 1)...)
        }
        restLines -= min(restLines, ends.count)
        return bytes
    }
}
