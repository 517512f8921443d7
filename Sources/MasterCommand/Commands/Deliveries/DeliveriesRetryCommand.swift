internal import ArgumentParser
internal import MasterRuntime

/// `deliveries retry`: sends reports again.
struct DeliveriesRetryCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "retry",
            abstract: "Sends reports again: at once if a run goes on, else by the next one.",
            discussion: """
                Those that were given up are sent again, too; what comes after them in the \
                schedule starts from its beginning.

                Examples:

                  \(RootCommand.programName) deliveries retry 17 18
                  \(RootCommand.programName) deliveries retry --reporter HttpStatusPush
                """)
    }

    @OptionGroup var selection: DeliverySelection
    @OptionGroup var place: DeliveriesPlace

    func validate() throws { try selection.validate() }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let count = try await place.withDesk { desk in
            let chosen = try await selection.chosen(from: desk, at: place)
            if selection.namesEach, let lost = chosen.first(where: { $0.byteCount == 0 }) {
                let reason =
                    lost.state == .delivered
                    ? "it was delivered" : lost.error ?? "its report is no longer kept"
                throw FailedRun("\(lost.id) cannot be sent again: \(reason)")
            }
            return try await desk?.retry(chosen.map(\.id)) ?? 0
        }
        let said =
            count == 0
            ? "there is nothing to send again"
            : "\(count.counting("report")) to be sent again: at once if a run goes on, else by "
                + "the next one"
        await context.console.print(said)
        return .success
    }
}
