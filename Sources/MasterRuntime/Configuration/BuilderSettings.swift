internal import MasterKit

/// One entry of `builders`.
struct BuilderSettings: Settings, SettingValue {
    @Setting("The name, unique in a master.", .notEmpty) var name: BuilderName
    @Setting("The steps.", declarations: .steps)
    var steps: [StepDeclaration]?
    @Setting("The factory whose steps it runs.") var factory: FactoryReference?
    @Setting("Values to be combined: a builder for each combination.") var matrix: Matrix?
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
            return decoder.about("a builder") { decoder.mismatch(node, expected: shape) }
        }
        let builder = BuilderSettings()
        let owner = mapping["name"]?.scalarText.map { "builder '\($0)'" } ?? "a builder"
        if let factory = mapping.entry(for: "factory"), mapping["steps"] != nil {
            decoder.error(
                "\(owner) has both 'steps' and 'factory'; keep one", at: factory.key.range)
        }
        return decoder.fill([builder], from: node, owner: owner, at: node.range) ? builder : nil
    }
}

extension BuilderSettings: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        guard name == "locks" else { return nil }
        return "builds can't wait for locks in this version; 'run --jobs 1' builds one at a time"
    }
}
