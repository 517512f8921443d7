internal import ArgumentParser

/// `deliveries`: what became of reports.
struct DeliveriesCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "deliveries",
            abstract: "Shows what became of reports, and decides what becomes of them.",
            discussion: """
                A report that a receiver did not take is kept and tried again by every run, for \
                about three days of running. These commands work while a run does and when none \
                does; a run notices within a second.

                States: open (to be sent), delivered, dead (given up), parked (its reporter is \
                not in the file at present).
                """,
            subcommands: [
                DeliveriesListCommand.self, DeliveriesShowCommand.self,
                DeliveriesRetryCommand.self, DeliveriesDropCommand.self,
                DeliveriesResumeCommand.self,
            ])
    }
}
