import MasterKit
import OrderedCollections

/// The settings of steps that run a command.
struct CommandSettings: Settings {
    @Setting("What to run: a program with its arguments, or a line for the shell.", .primary)
    var command: Renderable<CommandLineSetting>

    @Setting("Variables for the command, over those of the builder and the worker.")
    var env: Renderable<CommandEnvironment?>

    @Setting("How long the command may be silent; null for no limit.")
    var timeout: Renderable<TimeLimit?> = Renderable(TimeLimit(duration: .seconds(1200)))

    @Setting("Results by exit code; all other codes are failures.")
    var decodeRC: Renderable<ExitCodeResults> = Renderable(.standard)

    /// A hint for a setting that these steps do not have.
    static func hint(forUnknown name: String) -> String? {
        guard name.contains(" ") else { return nil }
        return "if it begins a command, put the whole command in quotes"
    }
}

extension CommandSettings {
    /// Runs the command, logs its output, and sets the summary of the step.
    ///
    /// - Parameters:
    ///   - context: The running step.
    ///   - log: The log for the output; by default a new log `stdio`.
    ///   - receive: Gets the output as it is printed, and returns whether to log it.
    /// - Returns: The result for the exit code; failure if a limit or signal ended the command.
    /// - Throws: An error if a setting cannot be rendered, the machine fails, or the build is
    ///   stopped.
    func run(
        in context: StepContext, into log: (any StepLog)? = nil,
        receiving receive: (CommandUpdate.OutputStream, ArraySlice<UInt8>) -> Bool = { _, _ in true
        }
    ) async throws -> Results {
        let line = try context.render(command)
        await context.setSummary(line.words(hiding: context.mask))
        let shell = try shell(line.invocation, in: context)
        let results = try context.render(decodeRC)
        let stdio = if let log { log } else { try await context.openLog("stdio") }
        let result: CommandResult
        do {
            result = try await context.run(.shell(shell)) { update in
                if case .output(let stream, let bytes) = update.content,
                    !receive(stream, bytes[...])
                {
                    return
                }
                try await stdio.write(update)
            }
        } catch let error as CommandError where error.isAboutTheCommand {
            try await stdio.line(error.message, to: .stderr)
            return .failure
        }
        if result.timedOut != nil {
            await context.noteTimeout()
            return .failure
        }
        return result.exitCode.map { results[$0] } ?? .failure
    }

    private func shell(
        _ invocation: Command.Invocation, in context: StepContext
    ) throws -> Command.Shell {
        var shell = Command.Shell(invocation, in: context.workdir)
        shell.timeout = try context.render(timeout)?.duration
        shell.environment = context.environment
        for (name, value) in try context.render(env)?.variables ?? [:] {
            shell.environment.updateValue(value, forKey: name)
        }
        for (name, value) in shell.environment {
            guard let value, value.contains("${"), hasReference(value, inSecretOf: context.mask)
            else { continue }
            throw RenderError(
                "the variable \(name) has a secret with '${' in it, which 'env' would take for the "
                    + "name of a variable; give the secret to the command in another way")
        }
        return shell
    }

    /// Whether a secret in the value contains `${`.
    private func hasReference(_ value: String, inSecretOf mask: SecretMask) -> Bool {
        func count(_ text: String) -> Int { text.ranges(of: "${").count }
        return count(mask.apply(to: value)) < count(value)
    }
}

extension StepLog {
    /// Logs an update of a command.
    fileprivate func write(_ update: CommandUpdate) async throws {
        switch update.content {
        case .output(.stdout, let bytes): try await write(bytes[...], to: .stdout)
        case .output(.stderr, let bytes): try await write(bytes[...], to: .stderr)
        case .header(let text): try await line(text, to: .header)
        case .content: break
        }
    }
}

extension CommandError {
    /// Whether the error is in the command itself, not the machine.
    fileprivate var isAboutTheCommand: Bool {
        switch code {
        case .invalid, .programNotFound, .programNotExecutable, .workdir, .argumentsTooLong: true
        default: false
        }
    }
}

/// The setting `decodeRC`: the results for exit codes; all other codes are failures.
struct ExitCodeResults: SettingValue {
    private let results: [Int32: Results]

    static var shape: String { "a mapping of exit codes to results, such as {0: success}" }

    /// Zero is success.
    static let standard = ExitCodeResults(results: [0: .success])

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ExitCodeResults? {
        guard let entries = node.mapping?.entries else {
            return decoder.mismatch(node, expected: shape)
        }
        var results: [Int32: Results] = [:]
        var isRight = true
        for entry in entries {
            let code = decoder.decode(ExitCode.self, from: entry.key)
            let result = decoder.decode(NamedResult.self, from: entry.value)
            guard let code, let result else {
                isRight = false
                continue
            }
            results[code.number] = result.results
        }
        guard isRight else { return nil }
        if results[0] == nil {
            decoder.warning(
                "exit code 0 is not listed and so is a failure; add '0: success'",
                at: node.range)
        }
        return ExitCodeResults(results: results)
    }

    /// The result for an exit code.
    subscript(code: Int32) -> Results { results[code] ?? .failure }
}

/// A valid exit code.
private struct ExitCode: SettingValue {
    let number: Int32

    static var shape: String { "an exit code from 0 to 255" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> ExitCode? {
        let spelling = node.scalar.flatMap { Int32($0.value) }
        guard let number = spelling, (0...255).contains(number) else {
            return decoder.error(
                "\(decoder.subject) has \(node.wording) for \(shape)", at: node.range)
        }
        return ExitCode(number: number)
    }
}

/// A result given by its name or code.
private struct NamedResult: SettingValue {
    let results: Results

    static var shape: String { "\(Results.shape), or its code" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> NamedResult? {
        guard case .int(let code) = node.resolved else {
            return decoder.decode(Results.self, from: node).map { NamedResult(results: $0) }
        }
        guard let results = Results(rawValue: code) else {
            return decoder.error(
                "there is no result \(code); the codes are 0 to \(Results.allCases.count - 1)",
                at: node.range)
        }
        return NamedResult(results: results)
    }
}
