internal import MasterKit

/// `delivery`: how reports are kept until they have arrived.
struct DeliverySettings: Settings, SettingValue {
    @Setting("What an accepted report survives: 'process' or 'power'.")
    var durability = Durability.process
    @Setting("How many bytes of reports are kept; then the oldest are given up.")
    var maxBytes = DeliveryBounds().maxBytes
    @Setting("How long a report is kept that nobody takes; then it is given up.")
    var maxAge = DeliveryBounds().maxAge

    /// How much is kept for how long.
    var bounds: DeliveryBounds { DeliveryBounds(maxBytes: maxBytes, maxAge: maxAge) }

    static var shape: String { "a mapping such as {durability: power, maxAge: 7d}" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> DeliverySettings? {
        let settings = DeliverySettings()
        return decoder.fill([settings], from: node, owner: "delivery", at: node.range)
            ? settings : nil
    }
}
