internal import ArgumentParser
internal import FoundationEssentials

/// The program; without a subcommand it prints its help.
struct RootCommand: ParsableCommand {
    /// The version of Buildmaster.
    static let version = "0.1.0"

    /// The name and version that a master with its own plugins gives itself.
    @TaskLocal static var ownName: String?
    @TaskLocal static var ownVersion: String?

    /// The program's own name, or else the one it was started with, so that commands in help and
    /// errors can be pasted.
    static var programName: String { ownName ?? startedName }

    private static let startedName: String = {
        let path = CommandLine.arguments.first ?? ""
        let name = path.split(separator: "/").last.map(String.init)
        return name ?? "buildmaster"
    }()

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: programName,
            abstract: "Runs the builds that a master.yaml declares, and reports on them.",
            discussion: help,
            version: ownVersion.map { "\($0) (Buildmaster \(version))" } ?? version,
            subcommands: [
                InitCommand.self, RunCommand.self, StartCommand.self, StatusCommand.self,
                ReconfigCommand.self, ForceCommand.self, WorkerCommand.self, StopCommand.self,
                CheckCommand.self, BuildsCommand.self, LogCommand.self, CleanCommand.self,
                DeliveriesCommand.self, PluginsCommand.self,
                SchemaCommand.self, LanguageServerCommand.self, ReceiveCommand.self,
            ]
        )
    }

    private static let help = """
        A master.yaml lists the steps of a build, such as commands and HTTP requests, and the \
        services that are notified of it, such as a reporter that posts its status:

          services:
            - reporters.HttpStatusPush: http://127.0.0.1:9980/status
          steps:
            - steps.ShellCommand: echo hello

        In the folder of such a file:

          \(programName) check             finds every mistake in the file
          \(programName) run --receiver    builds, and shows the reports as they arrive
          \(programName) log               shows why the last run failed
          \(programName) builds            lists earlier builds
          \(programName) plugins list      shows what a file can declare
          \(programName) deliveries list   shows the undelivered reports
          \(programName) start             runs a master that stays up

        Exit status: 0 success, warnings or skipped; 1 failure, exception, retry or cancelled; \
        2 the configuration is wrong; 64 the arguments are wrong; 129 hung up; 130 interrupted; \
        143 terminated.
        """
}
