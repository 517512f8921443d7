extension SettingOption {
    /// A number outside the range is an error; in a list, that goes for each item.
    public static func within(_ range: ClosedRange<Int>) -> SettingOption {
        SettingOption(
            kind: .within(.init(Double(range.lowerBound), Double(range.upperBound), .number)))
    }

    /// A smaller number is an error; in a list, that goes for each item.
    public static func within(_ range: PartialRangeFrom<Int>) -> SettingOption {
        SettingOption(kind: .within(.init(Double(range.lowerBound), nil, .number)))
    }

    /// A number outside the range is an error; in a list, that goes for each item.
    public static func within(_ range: ClosedRange<Double>) -> SettingOption {
        SettingOption(kind: .within(.init(range.lowerBound, range.upperBound, .number)))
    }

    /// A duration outside the range is an error; in a list, that goes for each item.
    public static func within(_ range: ClosedRange<Duration>) -> SettingOption {
        SettingOption(
            kind: .within(
                .init(range.lowerBound / .seconds(1), range.upperBound / .seconds(1), .duration)))
    }
}

/// The range of a setting's numbers, or of its durations in seconds.
package struct SettingRange: Sendable, Hashable, CustomStringConvertible {
    /// What the range applies to.
    enum Kind: Sendable, Hashable {
        case number
        case duration
    }

    /// The smallest value.
    package let lowerBound: Double
    /// The largest value, or `nil` for no limit.
    package let upperBound: Double?
    let kind: Kind

    init(_ lowerBound: Double, _ upperBound: Double?, _ kind: Kind) {
        self.lowerBound = lowerBound
        self.upperBound = upperBound
        self.kind = kind
    }

    func contains(_ value: Double) -> Bool {
        value >= lowerBound && upperBound.map { value <= $0 } ?? true
    }

    /// The range as it follows the name of a type: `from 1 to 64`, `of at least 1`.
    package var description: String {
        guard let upperBound else { return "of at least \(words(lowerBound))" }
        return "from \(words(lowerBound)) to \(words(upperBound))"
    }

    private func words(_ value: Double) -> String {
        switch kind {
        case .duration: Duration.seconds(value).inSeconds
        case .number: Int(exactly: value).map { "\($0)" } ?? "\(value)"
        }
    }
}

extension SettingSlot {
    /// The range that numbers and durations must be in.
    var range: SettingRange? {
        for case .within(let range) in options.map(\.kind) { return range }
        return nil
    }
}

extension SettingDecoder {
    /// A description of a type's values within the range of the setting.
    func limited(_ shape: String) -> String { range.map { "\(shape) \($0)" } ?? shape }

    /// Returns a value if it is within the range of the setting; adds an error if not.
    func limited<Value: SettingValue>(
        _ value: Value, _ number: Double, _ kind: SettingRange.Kind, at node: YAMLNode
    ) -> Value? {
        guard let range, range.kind == kind, !range.contains(number) else { return value }
        return mismatch(node, expected: limited(Value.shape))
    }
}
