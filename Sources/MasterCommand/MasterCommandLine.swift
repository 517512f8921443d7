internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import Logging
public import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// The command line of a master.
///
/// A master with its own plugins is an executable like this:
///
/// ```swift
/// import MasterCommand
/// import StandardPlugins
///
/// @main struct CustomMaster {
///     static func main() async {
///         await MasterCommandLine.main(
///             plugins: [standardPlugins, myPlugins], version: "2.1")
///     }
/// }
/// ```
public enum MasterCommandLine {
    /// Runs the command given by the arguments of the process, and exits.
    ///
    /// - Parameters:
    ///   - bundles: The plugins available in master.yaml.
    ///   - name: The program's name in help and messages; by default that of its file.
    ///   - version: The program's own version, printed by `--version` before that of Buildmaster.
    public static func main(
        plugins bundles: [PluginBundle], name: String? = nil, version: String? = nil
    ) async -> Never {
        await main(plugins: bundles, name: name, version: version, time: SystemWallClock())
    }

    /// Runs the command given by the arguments of the process with another clock, and exits.
    ///
    /// - Parameters:
    ///   - bundles: The plugins available in master.yaml.
    ///   - name: The program's name.
    ///   - version: The program's own version.
    ///   - time: The clock of a master that stays up.
    package static func main(
        plugins bundles: [PluginBundle], name: String? = nil, version: String? = nil,
        time: any WallClock
    ) async -> Never {
        ProcessSetup.prepare()
        ProcessMemory.giveBackMemory()
        let arguments = Array(CommandLine.arguments.dropFirst())
        let request = RootCommand.$ownName.withValue(name) {
            RootCommand.$ownVersion.withValue(version) { Request(arguments) }
        }
        if case .text(let text) = request { exit(answer(text).code) }
        if let shortage = ProcessLimits.shortage() {
            // Not through the console, which needs a thread.
            _ = StandardStream.error.write(Array("error: \(shortage)\n".utf8))
            exit(ExitStatus.failure.code)
        }
        let environment = ProcessInfo.processInfo.environment
        let console = Console(environment: environment)
        let status = await RootCommand.$ownName.withValue(name) {
            await RootCommand.$ownVersion.withValue(version) {
                await run(request, plugins: bundles, console, environment, time)
            }
        }
        await console.flush()
        exit(console.hasFailed && status == .success ? ExitStatus.failure.code : status.code)
    }

    /// What the arguments of the program ask for.
    private enum Request {
        /// Help, or the version.
        case text(String)
        case command(any ParsableCommand)
        case mistake(any Error)

        init(_ arguments: [String]) {
            // The parser would look at all commands first, which takes longer than all the rest.
            guard arguments != ["--version"] else {
                self = .text(RootCommand.configuration.version)
                return
            }
            do {
                self = .command(
                    try RootCommand.parseAsRoot(ReceiverArgument.completed(arguments)))
            } catch {
                let isText = RootCommand.exitCode(for: error).isSuccess
                guard !isText else {
                    self = .text(RootCommand.fullMessage(for: error))
                    return
                }
                let fault = UnknownCommand.fault(in: arguments)
                self = .mistake(fault.map { UsageError($0) } ?? error)
            }
        }
    }

    /// Prints help or the version: at once, without the console, which needs a thread.
    private static func answer(_ text: String) -> ExitStatus {
        let bytes = Array(text.lines.map { $0 + "\n" }.joined().utf8)
        guard let fault = StandardStream.output.write(bytes), !fault.isAboutReader else {
            return .success
        }
        _ = StandardStream.error.write(Array("error: \(fault.aboutLostOutput)\n".utf8))
        return .failure
    }

    private static func run(
        _ request: Request, plugins bundles: [PluginBundle], _ console: Console,
        _ environment: [String: String], _ time: any WallClock
    ) async -> ExitStatus {
        do {
            switch request {
            case .text(let text): return answer(text)
            case .mistake(let error): throw error
            case .command(let command as any MasterSubcommand):
                let context = CommandContext(
                    registry: try Registry(bundles), console: console, environment: environment,
                    time: time)
                return try await command.run(in: context)
            case .command(var command):
                try command.run()
                return .success
            }
        } catch {
            return await report(error, console)
        }
    }

    private static func report(_ error: any Error, _ console: Console) async -> ExitStatus {
        let paint = TextPainter(hasColour: console.error.hasColour)
        switch error {
        case is Registry.DuplicateKey:
            await console.complain([paint(.boldRed, "error:") + " \(error)"])
            return .configuration
        case let error as ControlError where error.isUsage:
            await console.complain("\(paint(.boldRed, "error:")) \(error)".lines.map(bounded))
            return .usage
        case let error as UsageError:
            await console.complain("\(paint(.boldRed, "error:")) \(error)".lines.map(bounded))
            return .usage
        case is MasterError, is StoreError, is ReceiverError, is FailedRun, is CommandError,
            is HTTPError, is ControlError:
            await console.complain("\(paint(.boldRed, "error:")) \(error)".lines.map(bounded))
            return .failure
        default:
            return await reportUsage(error, console)
        }
    }

    /// A line of an error, without the end of a huge one.
    private static func bounded(_ line: String) -> String {
        line.count > 1000 ? line.prefix(997) + "..." : line
    }

    /// Reports an error of the argument parser, or prints the requested help.
    private static func reportUsage(_ error: any Error, _ console: Console) async -> ExitStatus {
        var text = RootCommand.fullMessage(for: error).lines.map(bounded)
        guard RootCommand.exitCode(for: error).isSuccess else {
            // The parser's own prefix, spelled like that of all other errors.
            if let first = text.first, first.hasPrefix("Error:") {
                let paint = TextPainter(hasColour: console.error.hasColour)
                text[0] = paint(.boldRed, "error:") + first.dropFirst("Error:".count)
            }
            await console.complain(text)
            return RootCommand.exitCode(for: error) == .validationFailure ? .usage : .failure
        }
        await console.print(text)
        return .success
    }
}

/// The context for all subcommands.
struct CommandContext: Sendable {
    /// The plugins available in master.yaml.
    let registry: Registry
    let console: Console
    let environment: [String: String]
    /// The clock of a master that stays up.
    var time: any WallClock = SystemWallClock()
    /// The log of a master that stays up; what other commands have to say is on standard error.
    var log: Logger?

    /// Returns a logger that writes to standard error and records its errors.
    func logger(_ level: Logger.Level, noting loggedErrors: LoggedErrors) -> Logger {
        Logger(label: "buildmaster") { _ in
            PlainLogHandler(console, level: level, noting: loggedErrors)
        }
    }
}

/// A subcommand that is run with a context.
protocol MasterSubcommand: ParsableCommand {
    /// Runs the command.
    ///
    /// - Returns: The exit status of the program.
    /// - Throws: An error whose description is a sentence for users.
    func run(in context: CommandContext) async throws -> ExitStatus
}

/// The exit status of the program.
struct ExitStatus: Sendable, Hashable {
    let code: Int32

    /// Success, warnings or skipped.
    static let success = ExitStatus(code: 0)
    /// A build failed, or the program cannot run here.
    static let failure = ExitStatus(code: 1)
    /// The configuration is wrong.
    static let configuration = ExitStatus(code: 2)
    /// The arguments are wrong.
    static let usage = ExitStatus(code: 64)

    /// The status after a signal, as in shells.
    static func signal(_ number: Int32) -> ExitStatus { ExitStatus(code: 128 + number) }

    /// Whether a signal ended the program.
    var isSignal: Bool { code > 128 }

    /// The status for the worst result of a run.
    init(_ results: Results?) {
        switch results {
        case .success, .warnings, .skipped, nil: self = .success
        case .failure, .exception, .retry, .cancelled: self = .failure
        }
    }

    private init(code: Int32) { self.code = code }
}

/// An error in the arguments in the context of the file: one sentence with a remedy.
struct UsageError: Error, CustomStringConvertible {
    /// The message.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Why a command failed and how to fix it, in a sentence.
struct FailedRun: Error, CustomStringConvertible {
    /// The message.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
