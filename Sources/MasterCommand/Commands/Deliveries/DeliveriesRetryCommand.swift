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
        try await selection.change(at: place, in: context) { delivery in
            guard delivery.byteCount == 0 else { return nil }
            let reason =
                delivery.state == .delivered
                ? "it was delivered" : delivery.error ?? "its report is no longer kept"
            return "cannot be sent again: \(reason)"
        } _: { desk, chosen in
            let parked = chosen.count { $0.state == .parked && $0.byteCount > 0 }
            let count = try await desk.retry(chosen.map(\.id))
            return Self.summary(of: count, parked: parked)
        }
    }

    private static func summary(of count: Int, parked: Int) -> String {
        guard count > 0 else { return "there is nothing to send again" }
        let reports = "\(count.counting("report")) to be sent again"
        let moment = "at once if a run goes on, else by the next one"
        guard parked > 0 else { return "\(reports): \(moment)" }
        return parked < count
            ? "\(reports): \(moment), but \(parked) when their reporter is in the file again"
            : "\(reports) when their reporter is in the file again"
    }
}
