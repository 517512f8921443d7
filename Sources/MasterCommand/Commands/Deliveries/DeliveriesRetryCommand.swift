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
            Self.summary(of: try await desk.retry(chosen), place.advice)
        }
    }

    /// How many are sent again, and when: those of closed endpoints and of reporters that are not
    /// in the file wait for somebody.
    private static func summary(of counts: [DeliveryCount], _ advice: DeliveriesAdvice) -> String {
        let parked = counts.filter { $0.state == .parked }
        let open = counts.filter { $0.state != .parked }
        let closed = Set(open.filter(\.isReporterClosed).map(\.reporter)).sorted()
        var sentences: [String] = []
        func say(_ chosen: [DeliveryCount], _ moment: String) {
            let count = chosen.reduce(0) { $0 + $1.count }
            guard count > 0 else { return }
            sentences.append("\(count.counting("report")) to be sent again\(moment)")
        }
        say(
            open.filter { !$0.isReporterClosed }, ": at once if a run goes on, else by the next one"
        )
        for reporter in closed {
            say(
                open.filter { $0.reporter == reporter },
                " once \(reporter.makingControlsVisible()) is open, whose endpoint is closed; "
                    + advice.toOpenAgain(reporter))
        }
        say(parked, " when their reporter is in the file again")
        return sentences.isEmpty
            ? "there is nothing to send again" : sentences.joined(separator: "\n")
    }
}
