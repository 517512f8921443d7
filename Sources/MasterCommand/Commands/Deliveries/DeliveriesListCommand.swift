internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// `deliveries list`: the reports that are kept.
struct DeliveriesListCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list",
            abstract: "Lists reports that did not arrive, and endpoints that are closed.",
            discussion: """
                With --build, or with a --state, delivered ones are listed too.

                Examples:

                  \(RootCommand.programName) deliveries list
                  \(RootCommand.programName) deliveries list --reporter HttpStatusPush --state dead
                  \(RootCommand.programName) deliveries list --build linux#3 --json
                """)
    }

    @OptionGroup var place: DeliveriesPlace

    @Option(help: ArgumentHelp("Only those of this reporter.", valueName: "name"))
    var reporter: String?

    @Option(help: "Only those in this state; it can be given several times.")
    var state: [DeliveryStateArgument] = []

    @Option(help: ArgumentHelp("Only those about this build.", valueName: "builder#number"))
    var build: BuildArgument?

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        let console = context.console
        let (deliveries, closed, isUsed) = try await place.withDesk { desk in
            guard let desk else { return ([DeliveryRecord](), [ReporterRecord](), false) }
            let reporters = try await desk.reporters()
            try checkReporter(among: reporters)
            let closed = reporters.filter { $0.closedAt != nil && isMeant($0.name) }
            return (try await desk.deliveries(filter), closed, true)
        }
        if json {
            let list = DeliveryReport.list(deliveries, closed: closed)
            await console.print(JSONWriter.pretty.string(list).lines)
        } else {
            let width = console.output.canRedraw ? console.size.columns : Int.max
            let listing = DeliveryListing(console.output, place.advice)
            await console.print(listing.lines(deliveries, closed: closed, width: width))
            if deliveries.isEmpty { await console.print(isUsed ? emptiness : place.unused) }
        }
        return .success
    }

    private var filter: DeliveryFilter {
        let undelivered: Set<DeliveryState>? = build == nil ? [.open, .parked, .dead] : nil
        return DeliveryFilter(
            reporter: reporter, states: state.isEmpty ? undelivered : Set(state.map(\.state)),
            builder: build?.builder, buildNumber: build?.number)
    }

    private func isMeant(_ name: String) -> Bool { reporter == nil || reporter == name }

    private func checkReporter(among known: [ReporterRecord]) throws {
        guard let reporter, !known.contains(where: { $0.name == reporter }) else { return }
        throw place.unknown(reporter: reporter, among: known)
    }

    private var emptiness: String {
        let isAny = reporter == nil && state.isEmpty && build == nil
        return isAny
            ? "every report has arrived: nothing waits in \(place.folder), nothing was given up"
            : "there is no such report in \(place.folder)"
    }
}
