internal import ArgumentParser
internal import Logging
internal import MasterKit

/// What every subcommand works with.
struct CommandContext: Sendable {
    /// The plugins that master.yaml may name.
    let registry: Registry
    /// Where everything is written to.
    let console: Console
    /// The environment of the process.
    let environment: [String: String]

    /// A logger that writes to standard error and notes the errors that it tells.
    func logger(_ level: Logger.Level, noting saidErrors: SaidErrors) -> Logger {
        Logger(label: "buildmaster") { _ in
            PlainLogHandler(console, level: level, noting: saidErrors)
        }
    }
}

/// A subcommand that is run with a context.
protocol MasterSubcommand: ParsableCommand {
    /// Does what was asked for.
    ///
    /// - Returns: The status with which the program ends.
    /// - Throws: An error whose description is a sentence for people.
    func run(in context: CommandContext) async throws -> ExitStatus
}
