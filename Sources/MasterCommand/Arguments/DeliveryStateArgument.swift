internal import ArgumentParser
internal import MasterRuntime

/// A state of deliveries as an option takes it.
struct DeliveryStateArgument: ExpressibleByArgument, CaseIterable, Sendable, Hashable {
    /// The state.
    let state: DeliveryState

    static var allCases: [DeliveryStateArgument] {
        [.open, .parked, .dead, .delivered].map { DeliveryStateArgument(state: $0) }
    }

    static var allValueStrings: [String] { allCases.map(\.state.rawValue) }

    private init(state: DeliveryState) { self.state = state }

    init?(argument: String) {
        guard let found = Self.allCases.first(where: { $0.state.rawValue == argument }) else {
            return nil
        }
        self = found
    }
}
