internal import MasterKit

/// Finds names in filters, reports and expressions that nothing in the file has.
struct ReferenceCheck {
    let decoder: SettingDecoder
    let builders: [BuilderConfiguration]
    /// Properties of every build.
    let properties: Properties
    /// The names of properties that schedulers, their forms and workers set.
    var others: [String] = []

    /// Checks tags against those of builders.
    func checkTags(among tags: [String]) {
        for use in uses(of: .tag) where !tags.contains(use.name) {
            decoder.error(
                "no builder has the tag '\(use.name)'; "
                    + Suggestion.remedy(for: use.name, among: tags), at: use.range)
        }
    }

    /// Checks names of steps, logs and properties, if each step is known.
    func checkSteps() {
        checkStepNames()
        checkLogs()
        checkProperties()
    }

    private func uses(of subject: NameUse.Subject) -> [NameUse] {
        decoder.nameUses.filter { $0.subject == subject }
    }

    private var steps: [StepDeclaration] { builders.flatMap(\.steps) }

    // MARK: Steps

    private func checkStepNames() {
        let uses = uses(of: .step)
        guard !uses.isEmpty else { return }
        let (names, isComplete) = stepNames
        for use in uses where !Self.contains(use.name, names) {
            let message = "no step is named '\(use.name)'; "
            if isComplete {
                decoder.error(
                    message + Suggestion.remedy(for: use.name, among: names.sorted()),
                    at: use.range)
            } else if let meant = Self.misspelled(use.name, names) {
                decoder.warning(message + "did you mean '\(meant)'?", at: use.range)
            }
        }
    }

    /// The names of all steps that are not computed, and whether these are all names.
    private var stepNames: (names: Set<String>, isComplete: Bool) {
        var (names, isComplete) = (Set<String>(), true)
        for step in steps {
            guard let name = step.options.name else {
                names.insert(step.key.name)
                continue
            }
            if let name = name.constant { names.insert(name) } else { isComplete = false }
        }
        return (names, isComplete)
    }

    /// Whether a name is one of some steps, or that of a repeated one, with `_1`, `_2`, …
    private static func contains(_ name: String, _ names: Set<String>) -> Bool {
        if names.contains(name) { return true }
        guard let suffix = name.wholeMatch(of: /(.+)_[1-9][0-9]*/) else { return false }
        return names.contains(String(suffix.1))
            || names.contains { $0.count > suffix.1.count && $0.hasPrefix(suffix.1) }
    }

    // MARK: Logs

    private func checkLogs() {
        let uses = uses(of: .log)
        guard !uses.isEmpty else { return }
        let products = steps.map { $0.plugin.products }
        let logs = Set(products.flatMap { $0?.logs ?? [] } + ["err.text", "retry"])
        let (names, hasAllNames) = stepNames
        let isComplete = products.allSatisfy { $0?.mayHaveOthers == false } && hasAllNames
        for use in uses where !Self.isLog(use.name, logs, names) {
            let meant = Self.misspelledLog(use.name, logs, names)
            guard isComplete || meant != nil else { continue }
            let remedy =
                meant.map { "did you mean '\($0)'?" }
                ?? Suggestion.remedy(for: use.name, among: logs.sorted())
            decoder.warning("no step writes a log '\(use.name)'; \(remedy)", at: use.range)
        }
    }

    /// Whether a name is that of a log, or `step.log`.
    private static func isLog(_ name: String, _ logs: Set<String>, _ steps: Set<String>) -> Bool {
        // Some names end in a number that is only known after a run, as in 'warnings (3)'.
        let plain = name.wholeMatch(of: /(.+) \([0-9]+\)/).map { String($0.1) } ?? name
        if logs.contains(plain) { return true }
        return plain.indices.contains { index in
            plain[index] == "." && contains(String(plain[..<index]), steps)
                && logs.contains(String(plain[plain.index(after: index)...]))
        }
    }

    private static func misspelledLog(
        _ name: String, _ logs: Set<String>, _ steps: Set<String>
    ) -> String? {
        if let meant = misspelled(name, logs) { return meant }
        for index in name.indices where name[index] == "." {
            let step = String(name[..<index])
            let log = String(name[name.index(after: index)...])
            guard contains(step, steps), let meant = misspelled(log, logs) else { continue }
            return "\(step).\(meant)"
        }
        return nil
    }

    // MARK: Properties

    /// Warns of the name of a property that resembles another one and that nothing in the file
    /// sets. Any other name may be set by `-p`, by a trigger, or by a plugin that does not tell.
    private func checkProperties() {
        var known = Self.ownProperties
        known.formUnion(properties.entries.map(\.key) + others)
        for builder in builders {
            known.formUnion(builder.properties.entries.map(\.key))
            known.formUnion(builder.axes.map(\.key))
            known.formUnion(builder.choices.keys)
            known.formUnion(builder.steps.flatMap { $0.plugin.products?.properties ?? [] })
        }
        for use in uses(of: .property) where !known.contains(use.name) {
            guard let meant = Self.misspelled(use.name, known) else { continue }
            decoder.warning(
                "nothing in this file sets the property '\(use.name)'; did you mean '\(meant)'? "
                    + "If not, declare it in 'properties'", at: use.range)
        }
    }

    /// The properties that every build has, or may have from its request or its sources.
    private static let ownProperties: Set<String> = [
        "basedir", "branch", "builddir", "builderid", "buildername", "buildnumber", "codebase",
        "got_revision", "owner", "owners", "project", "reason", "repository", "revision",
        "scheduler", "workername",
    ]

    /// The name that was probably meant; words of less than four letters, and names that differ in
    /// a number, are hardly misspelled.
    private static func misspelled(_ name: String, _ names: Set<String>) -> String? {
        guard name.count > 3, let meant = Suggestion.nearest(to: name, among: names.sorted()),
            name.filter({ !$0.isNumber }) != meant.filter({ !$0.isNumber })
        else { return nil }
        return meant
    }
}
