internal import ArgumentParser
internal import MasterRuntime

/// `deliveries drop`: gives reports up for good.
struct DeliveriesDropCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "drop",
            abstract: "Gives reports up for good; they are not sent and not listed any more.",
            discussion: """
                Examples:

                  \(RootCommand.programName) deliveries drop 17 18
                  \(RootCommand.programName) deliveries drop --reporter OldPush
                """)
    }

    @OptionGroup var selection: DeliverySelection
    @OptionGroup var place: DeliveriesPlace

    func validate() throws { try selection.validate() }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let count = try await place.withDesk { desk in
            let chosen = try await selection.chosen(from: desk, at: place)
            if selection.namesEach, let arrived = chosen.first(where: { $0.state == .delivered }) {
                throw FailedRun("\(arrived.id) cannot be dropped: it was delivered")
            }
            return try await desk?.drop(chosen.map(\.id)) ?? 0
        }
        let said = count == 0 ? "there is nothing to drop" : "\(count.counting("report")) dropped"
        await context.console.print(said)
        return .success
    }
}
