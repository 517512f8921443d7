internal import ArgumentParser
internal import MasterReceiver

/// Where to listen, as options take it: `HOST:PORT`, or one of the two.
struct AddressArgument: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    /// The address.
    let address: ReceiverAddress

    init?(argument: String) {
        guard let address = ReceiverAddress(argument) else { return nil }
        self.address = address
    }

    /// The default address.
    init() {
        address = ReceiverAddress()
    }

    /// The address as it is written.
    var description: String { "\(address)" }
}
