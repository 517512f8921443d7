internal import MasterKit

/// One entry of `builders`.
struct BuilderSettings: Settings {
    @Setting("The name, unique in a master.", .notEmpty) var name: BuilderName
    @Setting("The steps.", declarations: .steps)
    var steps: [StepDeclaration]?
    @Setting("The factory that provides the steps.") var factory: FactoryReference?
    @Setting("Values to combine: each combination is a builder.") var matrix: Matrix?
    @Setting("Labels that generators filter by.") var tags: [String] = []
    @Setting("A description.") var description: String?
    @Setting("Properties of its builds.") var properties = PropertyValues()
    @Setting("The environment of its commands.")
    var env = Renderable(CommandEnvironment())
    @Setting("Where its commands run.", .notEmpty) var workdir: Renderable<String>?
    @Setting("Run only when another build triggers it, or it is named.") var triggeredOnly = false
    @Setting("The builders that must succeed before it begins.") var needs = BuilderReferences()
    @Setting("How long a build may take.") var maxTime: Renderable<Duration>?
    @Setting("Pending requests that ask for the same are built once; by default as at the top.")
    var collapseRequests: Bool?
    @Setting("Locks that its builds hold.") var locks = Renderable(LockList())
    @Setting("The workers that may run its builds; by default all.", .notEmpty)
    var workernames: [String]?
    @Setting("The tags of the workers that may run its builds.", .notEmpty)
    var workertags: [String]?
    @Setting("Which of several free workers takes a build.")
    var nextWorker = WorkerChoice.leastLoaded

    /// Decodes an entry; `nil` if it is not a mapping.
    static func read(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> Result<BuilderSettings, FaultyBuilder>? {
        guard case .mapping(let mapping) = node.kind else {
            return decoder.about("a builder") {
                decoder.mismatch(node, expected: "a mapping with at least a name")
            }
        }
        if let key = mapping.entries.first?.key, mapping.entries.count == 1,
            let text = key.scalarText, text.hasSuffix("BuilderConfig")
        {
            decoder.error("write the settings of the builder in place of '\(text)'", at: key.range)
            return nil
        }
        if let entry = mapping.entries.first, mapping.entries.count == 1,
            entry.value.mapping != nil, let text = entry.key.scalarText,
            !BuilderSettings.declarations.contains(where: { $0.name == text })
        {
            decoder.error(
                "the name of a builder is a setting; write 'name: \(text.shortened)' beside the "
                    + "others", at: entry.key.range)
            return nil
        }
        let name = mapping["name"]?.scalarText
        let owner = name.map { "builder '\($0)'" } ?? "a builder"
        if let factory = mapping.entry(for: "factory"), mapping["steps"] != nil {
            decoder.error(
                "\(owner) has both 'steps' and 'factory'; keep one", at: factory.key.range)
        }
        var (builder, isRight) = decoder.reading(
            BuilderSettings.self, from: node, owner: owner, at: node.range)
        if builder.workernames != nil, builder.workertags != nil {
            isRight = false
            decoder.error(
                "\(owner) has both 'workernames' and 'workertags'; keep one",
                at: mapping.entry(for: "workertags")?.key.range)
        }
        if builder.maxTime?.constant == .zero {
            isRight = false
            decoder.error(
                "'maxTime' can't be 0; omit it for no limit", at: mapping["maxTime"]?.range)
        }
        return isRight
            ? .success(builder)
            : .failure(FaultyBuilder(settings: builder, mapping: mapping, range: node.range))
    }
}

/// A builder that contains mistakes.
struct FaultyBuilder: Error {
    /// The valid settings.
    let settings: BuilderSettings
    let mapping: YAMLMapping
    let range: SourceRange?

    /// The builder's name in messages.
    var wording: String { mapping["name"]?.scalarText.map { "builder '\($0)'" } ?? "the builder" }

    /// Its name, unless that is computed or wrong.
    var constantName: (text: String, range: SourceRange?)? {
        guard let name = mapping["name"], let text = name.scalarText, !name.isNull,
            BuilderName.fault(of: text) == nil
        else { return nil }
        return (text, name.range)
    }

    /// Whether a setting is present, possibly misspelled.
    func declares(_ name: String) -> Bool {
        let known = BuilderSettings.declarations.map(\.name)
        return mapping.entries.contains { entry in
            guard let key = entry.key.scalarText else { return true }
            return key == name
                || !known.contains(key) && Suggestion.nearest(to: key, among: known) == name
        }
    }
}

extension BuilderSettings: SettingHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "lock", "concurrency": "write 'locks'"
        case "if", "when": "write 'doStepIf' in the steps"
        case "timeout", "timeout-minutes": "write 'maxTime', such as 30m"
        case "continue-on-error": "write 'flunkOnFailure: false' in the steps"
        case "run", "script", "command": "write 'steps', with a 'steps.ShellCommand'"
        case "strategy": "write 'matrix'"
        case "category", "categories": "write 'tags'"
        case "builddir", "workerbuilddir", "slavebuilddir":
            "the folder of its builds is named after it; remove it"
        case "nextSlave": "write 'nextWorker'"
        case "nextBuild":
            "a file has no functions; builds of a higher 'priority' of their scheduler go first"
        case "canStartBuild": "a file has no functions; use 'locks', 'needs' or 'workertags'"
        case "description_format": "this version does not have it; remove it"
        case "do_build_if": "write 'doStepIf' in the steps"
        case "project": "group builders by 'tags'"
        case "defaultProperties": "write 'properties', which those of schedulers replace"
        case "mergeRequests": "write 'collapseRequests'"
        case "workername", "worker", "workers", "slavenames", "slavename", "runs-on", "runs_on",
            "agent":
            "write 'workernames: [NAME]'"
        default: nil
        }
    }
}
