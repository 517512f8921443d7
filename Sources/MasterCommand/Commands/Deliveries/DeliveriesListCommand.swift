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
        try await place.withDesk { desk in
            let reporters = try await desk?.reporters() ?? []
            if desk != nil { try checkReporter(among: reporters) }
            let closed = reporters.filter { $0.closedAt != nil && isMeant($0.name) }
            if json {
                try await list(desk, closed, asJSONOn: context.console)
            } else {
                try await list(desk, closed, on: context.console)
            }
        }
        return .success
    }

    private func list(
        _ desk: DeliveryDesk?, _ closed: [ReporterRecord], asJSONOn console: Console
    ) async throws {
        var list = DeliveryReport.List()
        await console.print(DeliveryReport.List.head)
        try await desk?.forEachPage(of: filter) { await console.print(list.lines($0)) }
        await console.print(list.end(closed: closed))
    }

    private func list(
        _ desk: DeliveryDesk?, _ closed: [ReporterRecord], on console: Console
    ) async throws {
        let width = console.output.canRedraw ? console.size.columns : Int.max
        var listing = DeliveryListing(console.output, place.advice, width: width)
        try await desk?.forEachPage(of: filter) { await console.print(listing.lines($0)) }
        await console.print(listing.end(closed: closed))
        if listing.isEmpty { await console.print(desk == nil ? place.unused : emptiness) }
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
