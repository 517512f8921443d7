internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// `deliveries show`: one report with its body and its tries.
struct DeliveriesShowCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show",
            abstract: "Shows what was sent of a report, and what each try came to.",
            discussion: """
                Secrets are shown by their names. The body of a report that was delivered is no \
                longer kept.
                """)
    }

    @Argument(help: ArgumentHelp("The number that 'list' shows.", valueName: "id"))
    var id: Int

    @OptionGroup var place: DeliveriesPlace

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let details = try await place.withDesk { try await $0?.details(of: id) }
        guard let details else { throw place.unknown([id]) }
        let lines =
            json
            ? JSONWriter.pretty.string(DeliveryReport.details(details)).lines
            : DeliveryPage(context.console.output).lines(details)
        await context.console.print(lines)
        return .success
    }
}
