internal import ArgumentParser
internal import MasterKit
internal import MasterRuntime

/// The deliveries that a command applies to: selected by number, or all undelivered ones.
struct DeliverySelection: ParsableArguments {
    @Argument(help: ArgumentHelp("The numbers that 'list' shows.", valueName: "id"))
    var ids: [Int] = []

    @Flag(help: "All that were not delivered.")
    var all = false

    @Option(
        help: ArgumentHelp("All of this reporter that were not delivered.", valueName: "name"))
    var reporter: String?

    /// Whether deliveries are selected by number, so that invalid ones are errors.
    private var namesEach: Bool { !ids.isEmpty }

    func validate() throws {
        let ways = [!ids.isEmpty, all, reporter != nil].count { $0 }
        guard ways != 1 else { return }
        throw ValidationError(
            ways == 0
                ? "give the numbers that 'list' shows, or --all or --reporter"
                : "numbers, --all and --reporter exclude each other; keep one")
    }

    /// Changes the selected deliveries and prints the outcome.
    ///
    /// - Parameters:
    ///   - place: The base folder of the deliveries.
    ///   - context: The context with the console.
    ///   - obstacle: Returns why a delivery cannot be changed; selecting such a delivery by number
    ///     is an error.
    ///   - body: Makes the change and returns the message to print.
    /// - Returns: Success.
    /// - Throws: ``FailedRun`` if selected deliveries do not exist or cannot be changed, or an
    ///   error from the store.
    func change(
        at place: DeliveriesPlace, in context: CommandContext,
        unless obstacle: (DeliveryRecord) -> String?,
        _ body: (DeliveryAdmin, DeliveryFilter) async throws -> String
    ) async throws -> ExitStatus {
        let said = try await place.withDeliveries { admin in
            guard let admin else { return try unused(place) }
            try await checkReporter(admin, at: place)
            if namesEach { try await checkEach(admin, at: place, unless: obstacle) }
            return try await body(admin, filter)
        }
        await context.console.print(said)
        return .success
    }

    private func unused(_ place: DeliveriesPlace) throws -> String {
        if namesEach { throw place.unknown(ids) }
        if let reporter { throw place.unknown(reporter: reporter, among: []) }
        return place.unused
    }

    private var filter: DeliveryFilter {
        DeliveryFilter(
            ids: namesEach ? ids : nil, reporter: reporter, states: [.open, .parked, .dead])
    }

    private func checkReporter(_ admin: DeliveryAdmin, at place: DeliveriesPlace) async throws {
        guard let reporter else { return }
        let known = try await admin.reporters()
        guard !known.contains(where: { $0.name == reporter }) else { return }
        throw place.unknown(reporter: reporter, among: known)
    }

    /// Checks that all deliveries selected by number exist and can be changed.
    private func checkEach(
        _ admin: DeliveryAdmin, at place: DeliveriesPlace,
        unless obstacle: (DeliveryRecord) -> String?
    ) async throws {
        var missing = Set(ids)
        var reason: String?
        try await admin.forEachPage(of: DeliveryFilter(ids: ids)) { page in
            missing.subtract(page.map(\.id))
            for delivery in page where reason == nil {
                reason = obstacle(delivery).map { "\(delivery.id) \($0)" }
            }
        }
        guard missing.isEmpty else { throw place.unknown(missing.sorted()) }
        if let reason { throw FailedRun(reason) }
    }
}

/// The options for the base folder with the deliveries.
struct DeliveriesPlace: ParsableArguments {
    @OptionGroup var source: ConfigurationOptions
    @OptionGroup var base: BaseFolderOptions

    /// The base folder.
    var folder: String { base.path(beside: source.file) }

    /// Hints with commands for the same folder.
    var advice: DeliveriesAdvice { DeliveriesAdvice(options: base.spelling(source)) }

    /// Runs a closure with the deliveries, or with `nil` if no master has used the folder.
    func withDeliveries<Value>(_ body: (DeliveryAdmin?) async throws -> Value) async throws -> Value
    {
        try await DeliveryAdmin.with(folder: folder, body)
    }

    /// The message if no master has used the folder.
    var unused: String { "no run has used \(folder) yet, so no reports are kept there" }

    /// The error for nonexistent deliveries.
    func unknown(_ ids: [Int]) -> FailedRun {
        let names = ids.map { "\($0)" }.joined(separator: ", ")
        return FailedRun(
            "there is no delivery \(names) in \(folder); "
                + advice.to("list them", "list"))
    }

    /// The error for an unknown reporter.
    func unknown(reporter: String, among known: [ReporterRecord]) -> FailedRun {
        let name = reporter.makingControlsVisible()
        guard !known.isEmpty else {
            return FailedRun("no reporter was ever used in \(folder), so there is no '\(name)'")
        }
        let remedy = Suggestion.remedy(for: reporter, among: known.map(\.name))
        return FailedRun("no reporter '\(name)' was ever used in \(folder); \(remedy)")
    }
}

/// Hints with commands for deliveries, ready to paste.
struct DeliveriesAdvice: Sendable {
    /// The options that select the base folder, with a leading space.
    let options: String

    /// Formats the end of a sentence: a purpose and the subcommand of `deliveries` for it.
    func to(_ purpose: String, _ words: String) -> String {
        "to \(purpose): \(RootCommand.programName) deliveries \(words)\(options)"
    }

    /// Formats the hint to reopen a closed reporter.
    func toOpenAgain(_ reporter: String) -> String {
        to("open it again", "resume \(reporter.shellQuoted)")
    }
}
