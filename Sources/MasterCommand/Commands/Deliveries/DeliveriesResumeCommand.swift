internal import ArgumentParser
internal import MasterRuntime

/// `deliveries resume`: opens an endpoint that said it was gone.
struct DeliveriesResumeCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "resume",
            abstract: "Sends to a reporter's endpoint again that has answered 410 Gone.",
            discussion: """
                An endpoint that answers 410 is closed: its reports are kept, but not sent. A new \
                address in the file opens it, too.
                """)
    }

    @Argument(help: ArgumentHelp("The reporter.", valueName: "name"))
    var reporter: String

    @OptionGroup var place: DeliveriesPlace

    func run(in context: CommandContext) async throws -> ExitStatus {
        let wasClosed = try await place.withDesk { desk in
            guard let wasClosed = try await desk?.resume(reporter: reporter) else {
                throw place.unknown(
                    reporter: reporter, among: try await desk?.reporters() ?? [])
            }
            return wasClosed
        }
        let name = reporter.makingControlsVisible()
        await context.console.print(
            wasClosed
                ? "\(name) is open again: its reports are sent at once if a run goes on, else by "
                    + "the next one"
                : "\(name) is not closed")
        return .success
    }
}
