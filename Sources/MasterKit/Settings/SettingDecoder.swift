/// Reads settings from nodes and gathers everything that is wrong with them.
///
/// Used on one thread, for one file or one value.
public final class SettingDecoder {
    /// Everything found so far, or the first hundred errors and warnings and how many more there are.
    package var diagnostics: [Diagnostic] {
        guard omittedCount > 0 else { return found }
        return found + [Diagnostic(.note, "\(omittedCount) more mistakes are not shown")]
    }
    /// The most errors, and the most warnings, that are kept.
    private static let maximumCount = 100
    private var found: [Diagnostic] = []
    private var counts: [Diagnostic.Severity: Int] = [:]
    private var omittedCount = 0
    /// How many diagnostics are kept.
    var keptCount: Int { found.count }
    /// How many errors were found.
    var errorCount: Int { counts[.error, default: 0] }
    /// Every secret that a value asks for, with its place.
    package private(set) var secretUses: [SecretUse] = []
    /// Every environment variable that a value asks for, with its place.
    package private(set) var environmentUses: [EnvironmentUse] = []
    /// Every variable that a template or field of a report asks for, with its place.
    package private(set) var templateUses: [TemplateUse] = []
    /// The names of all properties that values ask for.
    package private(set) var propertyUses: Set<String> = []
    /// What values of the scope `reporter` use of a report.
    private var reportUses = ReportUses()
    /// The plugins that may be named.
    package let registry: Registry
    /// What the values may refer to when they are rendered.
    package private(set) var scope: RenderScope
    /// The environment for `!Env`.
    let environment: [String: String]
    /// The folder from which relative paths start; without one they start where the process does.
    package let folder: String?
    private var fileTexts: [String: Result<String, FileText.Fault>] = [:]

    /// What is being read, in words, for messages: `'timeout' of steps.POST`.
    public internal(set) var subject = "the value"
    /// Where the value comes from that is being read.
    var origin = ValueOrigin.file
    /// Whether values that are computed at run time are passed over.
    private(set) var isProbing = false
    /// In how many lists and mappings of one value the present node stands.
    private var valueDepth = 0
    /// In how many expressions it stands.
    private var expressionDepth = 0
    /// How deep expressions may nest.
    static let maximumExpressionDepth = 32
    private var layouts: [ObjectIdentifier: SettingLayout] = [:]
    /// The plugins that were made for the value that is being read.
    private var instances: [PluginInstance] = []

    /// Makes a decoder.
    package init(
        registry: Registry = .empty, scope: RenderScope = .build,
        environment: [String: String] = [:], folder: String? = nil
    ) {
        self.registry = registry
        self.scope = scope
        self.environment = environment
        self.folder = folder
    }

    /// Whether an error was found; warnings do not count.
    package var hasErrors: Bool { errorCount > 0 }

    /// Reads a value of a type from a node.
    ///
    /// - Returns: The value; `nil` when it is wrong, which the decoder reports, or when it is known
    ///   only at run time.
    public func decode<Value: SettingValue>(_ type: Value.Type, from node: YAMLNode) -> Value? {
        if node.isPlaceholder { return nil }
        if Value.self is any RenderableValue.Type { return Value.decode(node, with: self) }
        guard let name = node.expressionName else { return Value.decode(node, with: self) }
        if let loaded = LoadedTag(rawValue: name) {
            let isTyped = Value.self is any TypedScalar.Type
            let value = loaded.value(of: node, with: self, isTyped: isTyped)
            let outer = origin
            origin = .loaded(loaded, node)
            defer { origin = outer }
            return value.flatMap { decode(type, from: $0) }
        }
        guard let tag = ExpressionTag(rawValue: name) else {
            return error(ExpressionTag.unknown(name), at: node.tag?.range ?? node.range)
        }
        if isProbing {
            if Value.self is any TruthValue.Type { _ = mayBeCondition(tag, node) }
            return nil
        }
        return error(
            "\(subject) is read before any build runs; it takes a plain value, not !\(name)",
            at: node.range)
    }

    /// Adds an error and returns `nil`, for use in a `return`.
    @discardableResult
    public func error<Value>(
        _ message: String, at range: SourceRange?, fix: String? = nil
    ) -> Value? {
        add(.error, message, at: range, fix: fix)
        return nil
    }

    /// Adds an error.
    public func error(_ message: String, at range: SourceRange?, fix: String? = nil) {
        add(.error, message, at: range, fix: fix)
    }

    /// Adds a warning, which does not stop a master from running.
    public func warning(_ message: String, at range: SourceRange?, fix: String? = nil) {
        add(.warning, message, at: range, fix: fix)
    }

    /// Adds an error that says what was expected and what is there; returns `nil`.
    public func mismatch<Value>(_ node: YAMLNode, expected: String) -> Value? {
        error("\(subject) must be \(expected), not \(node.wording)", at: node.range)
    }

    /// Adds diagnostics that came from elsewhere, such as the parser.
    package func add(_ more: [Diagnostic]) {
        for diagnostic in more {
            let count = counts[diagnostic.severity, default: 0] + 1
            counts[diagnostic.severity] = count
            if count <= Self.maximumCount {
                found.append(diagnostic)
            } else {
                omittedCount += 1
            }
        }
    }

    /// A path that the file names, seen from the folder of the file.
    public func place(of path: String) -> String {
        guard let folder, !path.hasPrefix("/") else { return path }
        return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }

    /// The text of a file, which is read once.
    func fileText(
        _ path: String, _ read: (String) -> Result<String, FileText.Fault>
    ) -> Result<String, FileText.Fault> {
        let place = place(of: path)
        if let known = fileTexts[place] { return known }
        let text = read(place)
        fileTexts[place] = text
        return text
    }

    /// The texts of the files that were read, by their paths.
    package var textsOfFiles: [String: String] {
        fileTexts.compactMapValues { if case .success(let text) = $0 { text } else { nil } }
    }

    func note(secret name: String, at range: SourceRange?) {
        secretUses.append(SecretUse(name: name, range: range))
    }

    func note(environmentVariable name: String, at range: SourceRange?) {
        environmentUses.append(
            EnvironmentUse(name: name, isInReport: scope == .report, range: range))
    }

    func note(templateVariable path: [String], at range: @autoclosure () -> SourceRange?) {
        if path.count > 1, path[0] == "properties" { propertyUses.insert(path[1]) }
        guard scope == .report || scope == .reporter else { return }
        templateUses.append(TemplateUse(path: path, range: range()))
        if scope == .reporter { reportUses.variables.insert(path) }
    }

    func note(property name: String) {
        propertyUses.insert(name)
        if scope == .reporter { reportUses.properties.insert(name) }
    }

    func noteSources() {
        if scope == .reporter { reportUses.usesSources = true }
    }

    /// Runs a body, and returns what the values read in it use of a report beside its result.
    func recordingReportUses<Result>(
        _ body: () -> Result
    ) -> (result: Result, uses: ReportUses) {
        let outer = reportUses
        reportUses = ReportUses()
        defer { reportUses = outer }
        return (body(), reportUses)
    }

    /// Runs a body whose messages name another subject.
    public func about<Result>(_ subject: String, _ body: () -> Result) -> Result {
        let outer = self.subject
        self.subject = subject
        defer { self.subject = outer }
        return body()
    }

    /// Runs a body, and returns the plugins that were made in it beside its result.
    func recordingInstances<Result>(
        _ body: () -> Result
    ) -> (result: Result, instances: [PluginInstance]) {
        let outer = instances
        instances = []
        defer { instances = outer }
        return (body(), instances)
    }

    /// Notes plugins that were made for the value that is being read.
    func record(_ made: [PluginInstance]) {
        instances += made
    }

    /// Runs a body in which values may refer to something else.
    package func within<Result>(_ scope: RenderScope, _ body: () -> Result) -> Result {
        let outer = self.scope
        self.scope = scope
        defer { self.scope = outer }
        return body()
    }

    /// Runs a body in which values that are computed at run time are passed over.
    ///
    /// - Parameters:
    ///   - start: How many diagnostics were kept before those values were read; what was said since
    ///     then is not said again.
    ///   - body: Reads the values.
    func probing(since start: Int, _ body: () -> Void) {
        let before = (isProbing: isProbing, counts: counts, omitted: omittedCount)
        let end = found.count
        isProbing = true
        body()
        isProbing = before.isProbing
        let said = Set(found[start..<end])
        let probed = found[end...]
        found.removeLast(probed.count)
        (counts, omittedCount) = (before.counts, before.omitted)
        add(probed.filter { !said.contains($0) })
    }

    /// Runs a body that reads the items of a list or mapping of any values, which nest to a bound.
    ///
    /// - Returns: What the body returns; `nil` when the list or mapping nests too deep, which is
    ///   reported.
    public func descending<Value>(into node: YAMLNode, _ body: () -> Value?) -> Value? {
        guard valueDepth < JSONValue.maximumDepth else {
            return error(
                "\(subject) nests deeper than \(JSONValue.maximumDepth) levels", at: node.range)
        }
        valueDepth += 1
        defer { valueDepth -= 1 }
        return body()
    }

    /// Runs a body that reads what an expression is applied to.
    func insideExpression<Value>(_ node: YAMLNode, _ body: () -> Value?) -> Value? {
        guard expressionDepth < Self.maximumExpressionDepth else {
            return error(
                "expressions nest deeper than \(Self.maximumExpressionDepth) levels; compute a part "
                    + "in a step that sets a property", at: node.range)
        }
        expressionDepth += 1
        defer { expressionDepth -= 1 }
        return body()
    }

    /// Makes settings and reads them from a mapping, and finds unknown, doubled and missing ones.
    ///
    /// - Parameters:
    ///   - type: The type of the settings.
    ///   - node: The mapping, or a lone value for the primary setting; `nil` for none.
    ///   - owner: What the settings belong to, in words, for messages.
    ///   - place: Where the owner is named.
    /// - Returns: The settings; `nil` with a mistake, which goes to the decoder.
    public func read<Form: Settings>(
        _ type: Form.Type, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> Form? {
        let (form, isRight) = reading(type, from: node, owner: owner, at: place)
        return isRight ? form : nil
    }

    /// Makes settings and reads them as `read` does; with a mistake they hold
    /// what is right.
    package func reading<Form: Settings>(
        _ type: Form.Type, from node: YAMLNode?, owner: String, at place: SourceRange?
    ) -> (form: Form, isRight: Bool) {
        let (form, table) = settings(of: type) {
            Form()
        } _: {
            [$0]
        }
        let filled = fill(table, from: node, owner: owner, at: place)
        return (form, filled?.isRight ?? false)
    }

    /// Makes a plugin with what is read beside its own settings, and finds the settings of both.
    ///
    /// - Parameters:
    ///   - type: The type of the plugin.
    ///   - make: Makes the plugin, in the same way each time.
    ///   - values: The values that have settings.
    /// - Returns: What was made, and its settings.
    func settings<Value>(
        of type: any Settings.Type, making make: () -> Value, _ values: (Value) -> [any Settings]
    ) -> (Value, SettingTable) {
        let (value, recorded) = SettingRecorder.recording(make)
        let id = ObjectIdentifier(type)
        if let layout = layouts[id], let table = SettingTable(layout, recorded: recorded) {
            return (value, table)
        }
        let table = SettingTable(of: values(value), recorded: recorded)
        layouts[id] = table.layout
        return (value, table)
    }

    private func add(
        _ severity: Diagnostic.Severity, _ message: String, at range: SourceRange?, fix: String?
    ) {
        let fix = fix.map { Diagnostic.Fix(replacement: $0, range: range) }
        add([Diagnostic(severity, message, range: range, fix: fix)])
    }
}

/// A secret that a setting asks for, and where.
package struct SecretUse: Sendable, Hashable {
    /// The name of the secret.
    package let name: String
    /// Where it is asked for.
    package let range: SourceRange?
}

/// An environment variable that a setting asks for, and where.
package struct EnvironmentUse: Sendable, Hashable {
    /// The name of the variable.
    package let name: String
    /// Whether the value becomes a part of reports, in which secrets are hidden.
    package let isInReport: Bool
    /// Where it is asked for.
    package let range: SourceRange?
}

/// A variable that a template or field of a report asks for, and where.
package struct TemplateUse: Sendable, Hashable {
    /// The names on the way to the value: `build`, `number`.
    package let path: [String]
    /// Where it is asked for.
    package let range: SourceRange?
}

extension Registry {
    /// A registry without plugins.
    public static let empty = Registry(sorted: [])
}
