internal import MasterKit

/// One entry of `builders`.
struct BuilderSettings: Settings, SettingValue {
    @Setting("The name, unique in a master.", .notEmpty) var name: BuilderName
    @Setting("The steps.", declarations: .steps, scope: .build)
    var steps: [PluginDeclaration<any Step>]?
    @Setting("The factory whose steps it runs.") var factory: FactoryReference?
    @Setting("Labels that generators filter by.") var tags: [String] = []
    @Setting("A text for people.") var description: String?
    @Setting("Properties of its builds.") var properties = PropertyValues()
    @Setting("The environment of its commands.")
    var env = Renderable(CommandEnvironment())
    @Setting("Where its commands run.", .notEmpty) var workdir: Renderable<String>?
    @Setting("Run only when another build triggers it.") var triggeredOnly = false

    static var shape: String { "a mapping with at least a name" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderSettings? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.mismatch(node, expected: shape)
        }
        let builder = BuilderSettings()
        let owner = mapping["name"]?.scalarText.map { "builder '\($0)'" } ?? "a builder"
        guard decoder.fill([builder], from: node, owner: owner, at: node.range) else { return nil }
        if builder.steps != nil, builder.factory != nil {
            return decoder.error(
                "\(owner) has both 'steps' and 'factory'; keep one", at: node.range)
        }
        return builder
    }
}

extension BuilderSettings: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "matrix", "locks": "this version does not know it yet"
        default: nil
        }
    }
}

/// The name of a builder with the place where it stands.
struct BuilderName: SettingValue {
    let text: String
    let range: SourceRange?

    static let maximumLength = 70

    static var shape: String { "a name" }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> BuilderName? {
        guard let text = String.decode(node, with: decoder) else { return nil }
        guard !text.hasPrefix("_"), text.count <= maximumLength,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            return decoder.error(
                "the name of a builder has at most \(maximumLength) characters, none of them a "
                    + "control character, and does not begin with '_'", at: node.range)
        }
        return BuilderName(text: text, range: node.range)
    }
}
