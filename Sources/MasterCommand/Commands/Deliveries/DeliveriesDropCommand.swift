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
        try await selection.change(at: place, in: context) { delivery in
            delivery.state == .delivered ? "cannot be dropped: it was delivered" : nil
        } _: { desk, chosen in
            let count = try await desk.drop(chosen)
            return count == 0 ? "there is nothing to drop" : "\(count.counting("report")) dropped"
        }
    }
}
