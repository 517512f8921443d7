internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// `deliveries`: shows and manages the deliveries of reports.
struct DeliveriesCommand: ParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "deliveries",
            abstract: "Shows and manages the deliveries of reports.",
            discussion: """
                Undelivered reports are kept and retried by every run, for \
                about three days of run time. These commands also work during a run, which \
                notices them within a second.

                States: open (to be sent), delivered, dead (given up), parked (its reporter is \
                not in the file).
                """,
            subcommands: [
                DeliveriesListCommand.self, DeliveriesShowCommand.self,
                DeliveriesRetryCommand.self, DeliveriesDropCommand.self,
                DeliveriesResumeCommand.self,
            ])
    }
}

/// `deliveries list`: lists undelivered reports and closed endpoints.
struct DeliveriesListCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "list",
            abstract: "Lists undelivered reports and closed endpoints.",
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

    @Option(help: "Only those in this state; repeatable.")
    var state: [DeliveryStateArgument] = []

    @Option(help: ArgumentHelp("Only those about this build.", valueName: "builder#number"))
    var build: BuildArgument?

    @Flag(help: "Write one JSON object.")
    var json = false

    func run(in context: CommandContext) async throws -> ExitStatus {
        try await place.withDeliveries { admin in
            let reporters = try await admin?.reporters() ?? []
            if admin != nil { try checkReporter(among: reporters) }
            let closed = reporters.filter { $0.closedAt != nil && isMeant($0.name) }
            if json {
                try await list(admin, closed, asJSONOn: context.console)
            } else {
                try await list(admin, closed, on: context.console)
            }
        }
        return .success
    }

    private func list(
        _ admin: DeliveryAdmin?, _ closed: [ReporterRecord], asJSONOn console: Console
    ) async throws {
        var list = DeliveryReport.List()
        await console.print(DeliveryReport.List.head)
        try await admin?.forEachPage(of: filter) { await console.print(list.lines($0)) }
        await console.print(list.end(closed: closed))
    }

    private func list(
        _ admin: DeliveryAdmin?, _ closed: [ReporterRecord], on console: Console
    ) async throws {
        let width = console.output.canRedraw ? console.size.columns : Int.max
        var listing = DeliveryListing(console.output, place.advice, width: width)
        try await admin?.forEachPage(of: filter) { await console.print(listing.lines($0)) }
        await console.print(listing.end(closed: closed))
        if listing.isEmpty { await console.print(admin == nil ? place.unused : emptiness) }
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
            ? "no undelivered reports in \(place.folder)"
            : "there is no such report in \(place.folder)"
    }
}

/// `deliveries show`: shows a report with its body and all attempts.
struct DeliveriesShowCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show",
            abstract: "Shows the content of a report and the result of each try.",
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
        let details = try await place.withDeliveries { try await $0?.details(of: id) }
        guard let details else { throw place.unknown([id]) }
        let lines =
            json
            ? JSONWriter.pretty.string(DeliveryReport.details(details)).lines
            : DeliveryPage(context.console.output).lines(details)
        await context.console.print(lines)
        return .success
    }
}

/// `deliveries retry`: sends reports again.
struct DeliveriesRetryCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "retry",
            abstract: "Sends reports again: at once during a run, otherwise with the next run.",
            discussion: """
                This includes those that were given up; their schedule of retries \
                starts over.

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
                ? "already delivered" : delivery.error ?? "the stored report was removed"
            return "cannot be sent again: \(reason)"
        } _: { admin, chosen in
            Self.summary(of: try await admin.retry(chosen), place.advice)
        }
    }

    /// Describes how many are sent again, and when. Those of closed endpoints and of reporters that
    /// are not in the file remain blocked until the user acts.
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
            open.filter { !$0.isReporterClosed },
            ": at once during a run, otherwise with the next run")
        for reporter in closed {
            say(
                open.filter { $0.reporter == reporter },
                " once \(reporter.makingControlsVisible()) is open again, as its endpoint is closed; "
                    + advice.toOpenAgain(reporter))
        }
        say(parked, " when their reporter is in the file again")
        return sentences.isEmpty
            ? "there is nothing to send again" : sentences.joined(separator: "\n")
    }
}

/// `deliveries drop`: deletes undelivered reports.
struct DeliveriesDropCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "drop",
            abstract: "Deletes undelivered reports.",
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
            switch delivery.state {
            case .delivered: "cannot be dropped: already delivered"
            case .nothing: "cannot be dropped: there was nothing to send"
            case .open, .parked, .dead: nil
            }
        } _: { admin, chosen in
            let count = try await admin.drop(chosen)
            return count == 0 ? "there is nothing to drop" : "\(count.counting("report")) dropped"
        }
    }
}

/// `deliveries resume`: reopens an endpoint that responded with 410.
struct DeliveriesResumeCommand: MasterSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "resume",
            abstract: "Reopens a reporter's endpoint that answered 410 Gone.",
            discussion: """
                An endpoint that answers 410 is closed: its reports are kept but not sent. A new \
                address in the file also opens it.
                """)
    }

    @Argument(help: ArgumentHelp("The reporter.", valueName: "name"))
    var reporter: String

    @OptionGroup var place: DeliveriesPlace

    func run(in context: CommandContext) async throws -> ExitStatus {
        let wasClosed = try await place.withDeliveries { admin in
            guard let wasClosed = try await admin?.resume(reporter: reporter) else {
                throw place.unknown(
                    reporter: reporter, among: try await admin?.reporters() ?? [])
            }
            return wasClosed
        }
        let name = reporter.makingControlsVisible()
        await context.console.print(
            wasClosed
                ? "\(name) is open again: its reports are sent at once during a run, otherwise "
                    + "with the next run"
                : "\(name) is not closed")
        return .success
    }
}
