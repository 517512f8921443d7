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
    var namesEach: Bool { !ids.isEmpty }

    func validate() throws {
        let ways = [!ids.isEmpty, all, reporter != nil].count { $0 }
        guard ways != 1 else { return }
        throw ValidationError(
            ways == 0
                ? "name deliveries by the numbers that 'list' shows, or with --all or --reporter"
                : "numbers, --all and --reporter exclude each other; keep one")
    }

    /// The deliveries that are meant; none when no master has used the folder.
    func chosen(
        from desk: DeliveryDesk?, at place: DeliveriesPlace
    ) async throws -> [DeliveryRecord] {
        guard let desk else {
            if namesEach { throw place.unknown(ids) }
            if let reporter { throw place.unknown(reporter: reporter, among: []) }
            return []
        }
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
