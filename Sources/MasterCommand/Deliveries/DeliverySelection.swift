internal import ArgumentParser
internal import MasterRuntime

/// Which deliveries something is done to: some by their numbers, or all that were not delivered.
struct DeliverySelection: ParsableArguments {
    @Argument(help: ArgumentHelp("The numbers that 'list' shows.", valueName: "id"))
    var ids: [Int] = []

    @Flag(help: "All that were not delivered.")
    var all = false

    @Option(
        help: ArgumentHelp("All of this reporter that were not delivered.", valueName: "name"))
    var reporter: String?

    /// Whether each one is named, so that one which cannot be meant is a mistake.
    private var namesEach: Bool { !ids.isEmpty }

    func validate() throws {
        let ways = [!ids.isEmpty, all, reporter != nil].count { $0 }
        guard ways != 1 else { return }
        throw ValidationError(
            ways == 0
                ? "name deliveries by the numbers that 'list' shows, or with --all or --reporter"
                : "numbers, --all and --reporter exclude each other; keep one")
    }

    /// Changes the deliveries that are meant and says what came of it.
    ///
    /// - Parameters:
    ///   - place: Whose deliveries are meant.
    ///   - context: Where it is said.
    ///   - obstacle: Why a delivery cannot be changed; it is a mistake to name such a one.
    ///   - body: Makes the change, and gives what is to be said.
    /// - Returns: Success.
    /// - Throws: ``FailedRun`` when what is meant is not there, or what the store says.
    func change(
        at place: DeliveriesPlace, in context: CommandContext,
        unless obstacle: (DeliveryRecord) -> String?,
        _ body: (DeliveryDesk, [DeliveryRecord]) async throws -> String
    ) async throws -> ExitStatus {
        let said = try await place.withDesk { desk in
            guard let desk else { return try unused(place) }
            let chosen = try await chosen(from: desk, at: place)
            for delivery in chosen where namesEach {
                if let reason = obstacle(delivery) { throw FailedRun("\(delivery.id) \(reason)") }
            }
            return try await body(desk, chosen)
        }
        await context.console.print(said)
        return .success
    }

    private func unused(_ place: DeliveriesPlace) throws -> String {
        if namesEach { throw place.unknown(ids) }
        if let reporter { throw place.unknown(reporter: reporter, among: []) }
        return place.unused
    }

    private func chosen(
        from desk: DeliveryDesk, at place: DeliveriesPlace
    ) async throws -> [DeliveryRecord] {
        guard !namesEach else { return try await named(at: desk, place) }
        if let reporter {
            let known = try await desk.reporters()
            guard known.contains(where: { $0.name == reporter }) else {
                throw place.unknown(reporter: reporter, among: known)
            }
        }
        return try await desk.deliveries(
            DeliveryFilter(reporter: reporter, states: [.open, .parked, .dead]))
    }

    private func named(
        at desk: DeliveryDesk, _ place: DeliveriesPlace
    ) async throws -> [DeliveryRecord] {
        let wanted = Set(ids)
        let found = try await desk.deliveries(DeliveryFilter()).filter { wanted.contains($0.id) }
        let missing = wanted.subtracting(found.map(\.id))
        guard missing.isEmpty else { throw place.unknown(missing.sorted()) }
        return found
    }
}
