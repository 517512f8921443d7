/// The setting `inFlight`: how many reports of one reporter are on their way at once.
public struct InFlightLimit: SettingValue, Hashable {
    /// The number.
    public let count: Int

    private static let allowed = 1...64

    /// The number when the file says nothing.
    public init() {
        count = 8
    }

    private init(_ count: Int) {
        self.count = count
    }

    /// A number.
    public static var shape: String {
        "a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    /// Reads a number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> InFlightLimit? {
        guard case .int(let count) = node.resolved, allowed.contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return InFlightLimit(count)
    }
}
