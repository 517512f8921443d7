/// An enumeration whose cases are written by their names.
public protocol SettingEnumeration: SettingValue, CaseIterable {
    /// The word that stands for this case in a file.
    var settingName: String { get }
}

extension SettingEnumeration {
    /// One of the names.
    public static var shape: String {
        "one of " + allCases.map(\.settingName).joined(separator: ", ")
    }

    /// Reads a name and suggests the nearest one for a misspelt word.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        named(by: node, with: decoder)
    }

    /// Reads a name, for a type that reads more than names.
    public static func named(by node: YAMLNode, with decoder: SettingDecoder) -> Self? {
        guard case .scalar(let scalar) = node.kind, !node.isNull else {
            return decoder.mismatch(node, expected: shape)
        }
        if let found = allCases.first(where: { $0.settingName == scalar.value }) { return found }
        let names = allCases.map(\.settingName)
        let remedy = Suggestion.remedy(for: scalar.value, among: names)
        return decoder.error(
            "\(decoder.subject) can't be '\(scalar.value.shortened)'; \(remedy)", at: node.range)
    }
}

extension SettingEnumeration where Self: RawRepresentable, RawValue == String {
    /// The raw value.
    public var settingName: String { rawValue }
}

extension Results: SettingEnumeration {
    /// The name of the result.
    public var settingName: String { name }

    /// Reads a name or a code, such as `failure` or 2.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Results? {
        guard case .int(let code) = node.resolved else {
            return named(by: node, with: decoder)
        }
        if let found = Results(rawValue: code) { return found }
        let codes = allCases.map { "\($0.rawValue) \($0.name)" }.joined(separator: ", ")
        return decoder.error(
            "\(decoder.subject) can't be \(code); there are \(codes)", at: node.range)
    }
}
