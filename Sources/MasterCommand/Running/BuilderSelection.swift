internal import MasterKit
internal import MasterRuntime

/// A selection of builders in a file by names, patterns and tags.
struct BuilderSelection: Sendable, Hashable {
    /// Names and patterns such as `linux-*`; empty for all builders.
    var names: [String] = []
    /// Tags, of which a builder must have at least one; empty for any.
    var tags: [String] = []

    /// Returns the builders in the order in which they were named, or else in file order.
    ///
    /// `triggeredOnly` builders must be named in full.
    /// - Throws: ``UsageError`` if a name, pattern or tag matches no builder; ``MasterError`` if no
    ///   builder runs unless named.
    func builders(of configuration: MasterConfiguration) throws -> [BuilderConfiguration] {
        let all = Array(configuration.builders)
        var chosen: [BuilderConfiguration] = []
        for name in names {
            let found = try builders(named: name, configuration)
            chosen += found.filter { builder in !chosen.contains { $0.name == builder.name } }
        }
        if names.isEmpty { chosen = all.filter { !$0.isTriggeredOnly } }
        if !tags.isEmpty {
            try checkTags(all)
            let tagged = chosen.filter { !Set($0.tags).isDisjoint(with: tags) }
            guard !tagged.isEmpty else { throw noneTagged(all) }
            return tagged
        }
        guard !chosen.isEmpty else {
            throw MasterError(
                .nothingToBuild, "all builders are 'triggeredOnly'; name the one to be run")
        }
        return chosen
    }

    private func builders(
        named name: String, _ configuration: MasterConfiguration
    ) throws(UsageError) -> [BuilderConfiguration] {
        if let builder = configuration.builders[name] { return [builder] }
        let known = configuration.builders.map(\.name)
        let pattern = NamePattern(name)
        guard !pattern.isPlain else { throw Self.unknown(name, among: known) }
        let fitting = configuration.builders.filter { pattern.matches($0.name) }
        let found = fitting.filter { !$0.isTriggeredOnly }
        if let triggered = fitting.first, found.isEmpty {
            throw UsageError(
                "the builders that match '\(name)' are 'triggeredOnly'; name the one to be run, "
                    + "such as '\(triggered.name)'")
        }
        guard !found.isEmpty else {
            let remedy = Suggestion.remedy(for: name, among: known)
            throw UsageError("no builder matches '\(name)'; \(remedy)")
        }
        return found
    }

    /// The error for a name that no builder has, which may be a file name.
    static func unknown(_ name: String, among known: [String]) -> UsageError {
        if isFile(name) { return file(name) }
        let remedy = Suggestion.remedy(for: name, among: known)
        return UsageError("there is no builder '\(name)'; \(remedy)")
    }

    /// Whether a name is more likely that of a configuration file.
    static func isFile(_ name: String) -> Bool {
        name.hasSuffix(".yaml") || name.hasSuffix(".yml")
    }

    /// The error for a file given in place of a builder.
    static func file(_ name: String) -> UsageError {
        UsageError(
            "'\(name)' is a file, not a builder; write '\(RootCommand.programName) run -c "
                + "\(name.shellQuoted)'")
    }

    // MARK: Tags

    private func checkTags(_ builders: [BuilderConfiguration]) throws(UsageError) {
        var known: [String] = []
        for tag in builders.flatMap(\.tags) where !known.contains(tag) { known.append(tag) }
        guard let unknown = tags.first(where: { !known.contains($0) }) else { return }
        let remedy = Suggestion.remedy(for: unknown, among: known)
        throw UsageError("no builder has the tag '\(unknown)'; \(remedy)")
    }

    private func noneTagged(_ all: [BuilderConfiguration]) -> UsageError {
        let words = tags.map { "'\($0)'" }.joined(separator: " or ")
        let triggered = all.first { $0.isTriggeredOnly && !Set($0.tags).isDisjoint(with: tags) }
        if names.isEmpty, let triggered {
            return UsageError(
                "the builders with the tag \(words) are 'triggeredOnly'; name the one to be run, "
                    + "such as '\(triggered.name)'")
        }
        return UsageError("none of the named builders has the tag \(words)")
    }
}

/// The properties given with `-p`, converted to the types declared in the file.
struct PropertyOverrides: Sendable {
    /// The values by name, in the order in which they were given.
    private(set) var values: [(name: String, value: JSONValue)] = []
    /// Warnings about possible mistakes.
    private(set) var warnings: [String] = []

    /// Properties that every build has.
    private static let common: Set<String> = [
        "basedir", "branch", "builddir", "builderid", "buildername", "buildnumber", "codebase",
        "owner", "owners", "project", "repository", "revision", "scheduler", "workername",
    ]

    /// Converts the arguments.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - builders: The builders that will run.
    ///   - configuration: The file that declares them.
    /// - Throws: ``UsageError`` for a value of the wrong type, and for an axis of a matrix.
    init(
        _ arguments: [PropertyArgument], for builders: [BuilderConfiguration],
        in configuration: MasterConfiguration
    ) throws(UsageError) {
        for argument in arguments {
            let name = argument.name
            if let builder = builders.first(where: { $0.axes[name] != nil }) {
                throw UsageError(
                    "-p \(name): '\(name)' is an axis of the matrix of '\(builder.name)' and can't "
                        + "be overridden; name the builders to be run instead")
            }
            var found: [JSONValue] = []
            for builder in builders {
                guard let declared = Declared(name, of: builder, configuration) else { continue }
                let value = try declared.value(of: argument)
                if !found.contains(value) { found.append(value) }
            }
            guard found.count < 2 else {
                throw UsageError(
                    "-p \(name): the builders declare '\(name)' with different types; write "
                        + "\(name):=VALUE for a YAML value")
            }
            values.append((name, found.first ?? argument.value))
            if found.isEmpty { warn(of: name, builders, configuration) }
        }
    }

    private mutating func warn(
        of name: String, _ builders: [BuilderConfiguration], _ configuration: MasterConfiguration
    ) {
        guard !Self.common.contains(name), !configuration.propertyUses.contains(name) else {
            return
        }
        var known = builders.flatMap { $0.choices.keys.sorted() }
        known += builders.flatMap { $0.properties.entries.map(\.key) }
        known += configuration.properties.entries.map(\.key)
        known += configuration.propertyUses.sorted()
        var names: [String] = []
        for name in known where !names.contains(name) { names.append(name) }
        guard !names.isEmpty else {
            warnings.append("-p \(name): the file uses no properties; omit it")
            return
        }
        let remedy = Suggestion.remedy(for: name, among: names)
        warnings.append("-p \(name): nothing in the file uses a property '\(name)'; \(remedy)")
    }
}

/// What the file declares about a property of a builder.
private struct Declared {
    let choices: [JSONValue]?
    /// The value without `-p`.
    let value: JSONValue?

    /// Looks up a property; `nil` if the file does not set it.
    init?(
        _ name: String, of builder: BuilderConfiguration, _ configuration: MasterConfiguration
    ) {
        choices = builder.choices[name]
        value = builder.properties[name] ?? configuration.properties[name]
        if choices == nil, value == nil { return nil }
    }

    /// The argument converted to the declared type.
    func value(of argument: PropertyArgument) throws(UsageError) -> JSONValue {
        let name = argument.name
        if let choices {
            let chosen = choices.first {
                argument.isTyped ? $0 == argument.value : $0.text == argument.value.text
            }
            if let chosen { return chosen }
            let fault = Suggestion.fault(of: argument.value, among: choices)
            throw UsageError("-p \(name): '\(name)' \(fault)")
        }
        guard !argument.isTyped, let text = argument.value.stringValue, let value else {
            return argument.value
        }
        switch value {
        case .string, .null:
            return argument.value
        case .number:
            return try typed(text, name, "a number") { $0.numberValue != nil }
        case .bool:
            return try typed(text, name, "true or false") {
                if case .bool = $0 { Bool(text) != nil } else { false }
            }
        case .array:
            return try typed(text, name, "a list such as [a, b]") { $0.arrayValue != nil }
        case .object:
            return try typed(text, name, "a mapping such as {a: 1}") { $0.objectValue != nil }
        }
    }

    private func typed(
        _ text: String, _ name: String, _ shape: String, _ fits: (JSONValue) -> Bool
    ) throws(UsageError) -> JSONValue {
        do {
            let value = try PropertyArgument.value(ofYAML: text, for: name)
            if fits(value) { return value }
        } catch {
            // Not a YAML value, and therefore not of the declared type either.
        }
        throw UsageError(
            "-p \(name): '\(name)' must be \(shape), as in the file, not '\(text)'; write "
                + "\(name):=VALUE for a value of another type")
    }
}
