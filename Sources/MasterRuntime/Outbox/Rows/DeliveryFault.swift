/// Why a report cannot be sent though nobody was asked yet.
struct DeliveryFault: Error, CustomStringConvertible {
    /// The reason, in a sentence.
    let description: String

    /// Makes a fault of its reason.
    init(_ reason: String) {
        description = reason
    }
}
