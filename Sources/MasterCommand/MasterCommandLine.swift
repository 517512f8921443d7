internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
public import MasterKit
internal import MasterReceiver
internal import MasterRuntime

/// The command line of a master.
///
/// A master with plugins of its own is an executable with this in it:
///
/// ```swift
/// import MasterCommand
/// import StandardPlugins
///
/// @main struct CustomMaster {
///     static func main() async {
///         await MasterCommandLine.main(plugins: [standardPlugins, myPlugins])
///     }
/// }
/// ```
public enum MasterCommandLine {
    /// Runs the command that the arguments of the process name, and ends the process.
    ///
    /// - Parameter bundles: The plugins that a master.yaml may name.
    public static func main(plugins bundles: [PluginBundle]) async -> Never {
        ProcessSetup.prepare()
        if let shortage = ProcessLimits.shortage() {
            // Not by way of the console, which needs a thread.
            _ = StandardStream.error.write(Array("error: \(shortage)\n".utf8))
            exit(ExitStatus.failure.code)
        }
        let environment = ProcessInfo.processInfo.environment
        let console = Console(environment: environment)
        let arguments = Array(CommandLine.arguments.dropFirst())
        let status = await run(arguments, plugins: bundles, console, environment)
        await console.flush()
        exit(console.hasFailed && status == .success ? ExitStatus.failure.code : status.code)
    }

    private static func run(
        _ arguments: [String], plugins bundles: [PluginBundle], _ console: Console,
        _ environment: [String: String]
    ) async -> ExitStatus {
        do {
            let command = try RootCommand.parseAsRoot(ReceiverArgument.completed(arguments))
            guard let command = command as? any MasterSubcommand else {
                var command = command
                try command.run()
                return .success
            }
            let registry = try Registry(bundles)
            let context = CommandContext(
                registry: registry, console: console, environment: environment)
            return try await command.run(in: context)
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
        case let error as MasterError where error.code == .unknownBuilder:
            await console.complain([paint(.boldRed, "error:") + " \(error)"])
            return .usage
        case is MasterError, is StoreError, is ReceiverError, is FailedRun, is CommandError,
            is HTTPError:
            await console.complain("\(paint(.boldRed, "error:")) \(error)".lines)
            return .failure
        default:
            return await reportUsage(error, console)
        }
    }

    /// Reports what the parser of arguments threw: a mistake, or a wish for help.
    private static func reportUsage(_ error: any Error, _ console: Console) async -> ExitStatus {
        let text = RootCommand.fullMessage(for: error).lines
        guard RootCommand.exitCode(for: error).isSuccess else {
            await console.complain(text)
            return RootCommand.exitCode(for: error) == .validationFailure ? .usage : .failure
        }
        await console.print(text)
        return .success
    }
}
