/// Reads settings from nodes and collects all errors.
///
/// Used on one thread, for one file or one value.
public final class SettingDecoder {
    /// The diagnostics so far, followed by a note with the number of errors and warnings beyond the
    /// limit.
    package var diagnostics: [Diagnostic] {
        guard omittedCount > 0 else { return found }
        return found + [Diagnostic(.note, "\(omittedCount) more mistakes are not shown")]
    }
    /// The maximum number of errors, and of warnings, that are kept.
    private static let maximumCount = 100
    private var found: [Diagnostic] = []
    private var counts: [Diagnostic.Severity: Int] = [:]
    private var omittedCount = 0
    /// The number of diagnostics kept.
    var keptCount: Int { found.count }
    /// The number of errors found.
    var errorCount: Int { counts[.error, default: 0] }
    /// All references to secrets, with their locations.
    package private(set) var secretUses: [SecretUse] = []
    /// All references to environment variables, with their locations.
    package private(set) var environmentUses: [EnvironmentUse] = []
    /// All variables used in templates and fields of reports, with their locations.
    package private(set) var templateUses: [TemplateUse] = []
    /// The names of all properties that values refer to.
    package private(set) var propertyUses: Set<String> = []
    /// All constant names of builders in settings.
    package private(set) var builderUses: [BuilderReference] = []
    /// All names of tags, steps, logs and properties in settings, with their locations.
    package private(set) var nameUses: [NameUse] = []
    private var knownUses: Set<NameUse> = []
    /// All names of schedulers in settings.
    package private(set) var schedulerUses: [SchedulerReference] = []
    /// All constant names of locks in settings.
    package private(set) var lockUses: [LockList.Item] = []
    /// The parts of a report used by values of the scope `reporter`.
    private var reportUses = ReportUses()
    /// The available plugins.
    package let registry: Registry
    /// What values can refer to when they are rendered.
    package private(set) var scope: RenderScope
    /// Whether values are those of a formatter.
    private var isReadingMessage = false
    /// The environment for `!Env`.
    let environment: [String: String]
    /// The folder against which relative paths are resolved, or `nil` for the current directory.
    package let folder: String?
    private var fileTexts: [String: Result<String, FileText.Fault>] = [:]

    /// What is being read, for messages: `'timeout' of steps.POST`.
    public internal(set) var subject = "the value"
    /// The range of the numbers in the setting being read.
    var range: SettingRange?
    /// The origin of the value being read.
    var origin = ValueOrigin.file
    /// Whether values computed at run time are skipped.
    private(set) var isProbing = false
    /// The location of the factory whose steps are being read.
    private(set) var insertion: SourceRange?
    /// The number of lists and mappings of a value around the current node.
    private var valueDepth = 0
    /// The number of expressions around the current node.
    private var expressionDepth = 0
    /// The maximum nesting depth of expressions.
    static let maximumExpressionDepth = 32
    /// The layouts of the types whose settings were read.
    var layouts: [ObjectIdentifier: SettingLayout] = [:]
    /// The plugins created for the value being read.
    private var instances: [PluginInstance] = []

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

    /// Adds an error that states what was expected and what was found; returns `nil`.
    public func mismatch<Value>(_ node: YAMLNode, expected: String) -> Value? {
        let remedy = node.isPythonsNone ? "; write null" : ""
        return error(
            "\(subject) must be \(expected), not \(node.wording)\(remedy)", at: node.range)
    }

    /// Adds diagnostics from another source, such as the parser.
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

    /// Counts mistakes of a text that its parser found and did not keep.
    public func omit(_ count: Int) {
        omittedCount += count
    }

    /// Resolves a path in the file against the file's folder.
    public func resolvedPath(_ path: String) -> String {
        guard let folder, !path.hasPrefix("/") else { return path }
        return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
    }

    /// The contents of a file, which is read only once.
    func fileText(
        _ path: String, _ read: (String) -> Result<String, FileText.Fault>
    ) -> Result<String, FileText.Fault> {
        let path = resolvedPath(path)
        if let known = fileTexts[path] { return known }
        let text = read(path)
        fileTexts[path] = text
        return text
    }

    /// The contents of the files that were read, by path.
    package var textsOfFiles: [String: String] {
        fileTexts.compactMapValues { if case .success(let text) = $0 { text } else { nil } }
    }

    func note(secret name: String, at range: SourceRange?) {
        secretUses.append(SecretUse(name: name, range: range ?? insertion))
    }

    func note(_ builder: BuilderReference) {
        if !builderUses.contains(builder) { builderUses.append(builder) }
    }

    func note(_ use: NameUse) {
        let use = NameUse(subject: use.subject, name: use.name, range: use.range ?? insertion)
        if knownUses.insert(use).inserted { nameUses.append(use) }
    }

    func note(_ scheduler: SchedulerReference) {
        if !schedulerUses.contains(scheduler) { schedulerUses.append(scheduler) }
    }

    func note(_ lock: LockList.Item) {
        if !lockUses.contains(lock) { lockUses.append(lock) }
    }

    func note(environmentVariable name: String, at range: SourceRange?) {
        environmentUses.append(
            EnvironmentUse(
                name: name, isInMessage: isReadingMessage,
                isInReport: isReadingMessage || scope == .report, range: range ?? insertion))
    }

    func note(templateVariable path: [String], at range: @autoclosure () -> SourceRange?) {
        if path.count > 1, path[0] == "properties" {
            propertyUses.insert(path[1])
            note(NameUse(subject: .property, name: path[1], range: range()))
        }
        guard scope == .report || scope == .reporter else { return }
        templateUses.append(TemplateUse(path: path, range: range()))
        if scope == .reporter { reportUses.variables.insert(path) }
    }

    /// Notes that a value uses a property of builds, which `run -p` then knows.
    public func noteUse(ofProperty name: String) { propertyUses.insert(name) }

    func note(property name: String, at range: SourceRange?) {
        propertyUses.insert(name)
        note(NameUse(subject: .property, name: name, range: range))
        if scope == .reporter { reportUses.properties.insert(name) }
    }

    func noteSources() {
        if scope == .reporter { reportUses.usesSources = true }
    }

    /// Runs a closure and returns its result together with the parts of a report used by the values
    /// read in it.
    func recordingReportUses<Result>(
        _ body: () -> Result
    ) -> (result: Result, uses: ReportUses) {
        let outer = reportUses
        reportUses = ReportUses()
        defer { reportUses = outer }
        return (body(), reportUses)
    }

    /// Runs a closure that reads nodes without locations, which come from a factory.
    func inserting<Result>(at range: SourceRange?, _ body: () -> Result) -> Result {
        let outer = insertion
        insertion = range ?? outer
        defer { insertion = outer }
        return body()
    }

    /// Runs a closure with a different subject for messages.
    public func about<Result>(_ subject: String, _ body: () -> Result) -> Result {
        let outer = self.subject
        self.subject = subject
        defer { self.subject = outer }
        return body()
    }

    /// Runs a closure and returns its result together with the plugins created in it.
    func recordingInstances<Result>(
        _ body: () -> Result
    ) -> (result: Result, instances: [PluginInstance]) {
        let outer = instances
        instances = []
        defer { instances = outer }
        return (body(), instances)
    }

    /// Records plugins created for the value being read.
    func record(_ made: [PluginInstance]) {
        instances += made
    }

    /// Runs a closure in which values may be those of a formatter.
    func readingMessage<Result>(_ isMessage: Bool, _ body: () -> Result) -> Result {
        let outer = isReadingMessage
        isReadingMessage = isMessage || outer
        defer { isReadingMessage = outer }
        return body()
    }

    /// Runs a closure in which values have a different scope.
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

    /// Runs a closure that reads the items of a list or mapping of arbitrary values, with a limit
    /// on nesting.
    ///
    /// - Returns: The result of `body`, or `nil` if the nesting is too deep, in which case an error
    ///   has been added.
    public func descending<Value>(into node: YAMLNode, _ body: () -> Value?) -> Value? {
        guard valueDepth < JSONValue.maximumDepth else {
            return error(
                "\(subject) nests deeper than \(JSONValue.maximumDepth) levels; use fewer",
                at: node.range
            )
        }
        valueDepth += 1
        defer { valueDepth -= 1 }
        return body()
    }

    /// Runs a closure that reads the operands of an expression.
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

    private func add(
        _ severity: Diagnostic.Severity, _ message: String, at range: SourceRange?, fix: String?
    ) {
        let fix = fix.map { Diagnostic.Fix(replacement: $0, range: range) }
        add([Diagnostic(severity, message, range: range ?? insertion, fix: fix)])
    }
}

/// A reference to a secret in a setting, with its location.
package struct SecretUse: Sendable, Hashable {
    /// The name of the secret.
    package let name: String
    /// The location of the reference.
    package let range: SourceRange?
}

/// A reference to an environment variable in a setting, with its location.
package struct EnvironmentUse: Sendable, Hashable {
    /// The name of the variable.
    package let name: String
    /// Whether the value is that of a formatter, whose message can't hold a secret.
    package let isInMessage: Bool
    /// Whether the value becomes part of reports, where secrets are masked.
    package let isInReport: Bool
    /// The location of the reference.
    package let range: SourceRange?
}

/// A variable in a template or field of a report, with its location.
package struct TemplateUse: Sendable, Hashable {
    /// The components of the path: `build`, `number`.
    package let path: [String]
    /// The location of the reference.
    package let range: SourceRange?
}

extension Registry {
    /// A registry without plugins.
    public static let empty = Registry(sorted: [])
}
