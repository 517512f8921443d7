import MasterKit
import OrderedCollections

extension CommandSettings {
    /// Runs the command with its output in the log `stdio` and says how it went.
    ///
    /// - Parameters:
    ///   - context: The running step.
    ///   - log: Where the output goes; by default a new log `stdio`.
    ///   - receive: Gets what the command prints, as it comes, and says whether it goes into the log.
    /// - Returns: What the exit code stands for; failure when a limit or signal ended the command.
    /// - Throws: When a setting can't be rendered, the machine fails, or the build is stopped.
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
        return shell
    }
}

extension StepLog {
    /// Adds what a command has to say.
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
    /// Whether the command itself is at fault, and not the machine.
    fileprivate var isAboutTheCommand: Bool {
        switch code {
        case .invalid, .programNotFound, .programNotExecutable, .workdir, .argumentsTooLong: true
        default: false
        }
    }
}
