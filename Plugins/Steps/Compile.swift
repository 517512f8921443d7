public import MasterKit

/// Runs a compiler and counts its warnings; a failure ends the build.
public struct Compile: Step {
    /// What the step does.
    public static let summary =
        "Compiles: runs a command, counts warnings, ends the build on failure."

    /// The options of a step whose failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("What to run; by default [make, all].", .primary)
    var command: Renderable<CommandLineSetting> = Renderable(
        CommandLineSetting(invocation: .program(["make", "all"])))
    @SettingGroup var process: ProcessSettings
    @SettingGroup var warnings: WarningSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        process.products(logs: ["warnings"], properties: ["warnings-count"])
    }

    /// Reports settings that have no effect together.
    public func check(_ settings: SettingsCheck) {
        process.check(command, settings)
    }

    /// Runs the compiler.
    public func run(in context: StepContext) async throws -> Results {
        try await warnings.counting(.ofCompilers, in: context) { observe in
            let line = try context.render(command)
            return try await process.run(line, in: context, observing: observe)
        }
    }
}

/// Runs the command that prepares a source tree for compilation; a failure ends the build.
public struct Configure: Step {
    /// What the step does.
    public static let summary = "Prepares a source tree: runs a command, ends the build on failure."

    /// The options of a step whose failure ends the build.
    public static var options: StepOptions { .halting }

    @Setting("What to run; by default [./configure].", .primary)
    var command: Renderable<CommandLineSetting> = Renderable(
        CommandLineSetting(invocation: .program(["./configure"])))
    @SettingGroup var process: ProcessSettings
    @SettingGroup var warnings: WarningSettings

    /// Creates an unconfigured step.
    public init() {}

    /// The logs and properties that the step is known for.
    public var products: StepProducts? {
        process.products(logs: ["warnings"], properties: ["warnings-count"])
    }

    /// Reports settings that have no effect together.
    public func check(_ settings: SettingsCheck) {
        process.check(command, settings)
    }

    /// Runs the command.
    public func run(in context: StepContext) async throws -> Results {
        try await warnings.counting(in: context) { observe in
            let line = try context.render(command)
            return try await process.run(line, in: context, observing: observe)
        }
    }
}

extension StepOptions {
    /// The options of a step whose failure ends the build.
    static var halting: StepOptions {
        var options = StepOptions()
        options.haltOnFailure = Renderable(true)
        return options
    }
}

/// The settings of steps that search their command's output for warnings.
struct WarningSettings: Settings {
    @Setting("Lines that are warnings, as a regular expression; null for none.")
    var warningPattern: Pattern?

    @Setting("With more warnings than this the step fails.")
    var maxWarnCount: Renderable<WarningLimit?>

    /// Runs a command and searches its output for warnings.
    ///
    /// Warnings turn a success into the result warnings; they are written to a separate log, and
    /// their number is added to the property `warnings-count`.
    func counting(
        _ standard: Pattern? = nil, in context: StepContext,
        _ run: (((OutputLine) -> Void)?) async throws -> Results
    ) async throws -> Results {
        guard let pattern = $warningPattern.isGiven ? warningPattern : standard else {
            return try await run(nil)
        }
        let limit = try context.render(maxWarnCount)?.count
        var found = FoundWarnings(pattern)
        let results = try await run { found.note($0) }
        if let fault = found.fault {
            try await context.openLog("warnings").line(
                "some lines were not searched for warnings: \(fault)", to: .header)
        }
        guard found.count > 0 else { return results }
        let log = try await context.openLog("warnings (\(found.count))")
        try await log.line(found.lines.joined(separator: "\n"))
        let earlier = context.properties["warnings-count"]?.intValue ?? 0
        let sum = earlier.addingReportingOverflow(found.count)
        // Anything may have set the property.
        try await context.setProperty(
            "warnings-count", to: .int(sum.overflow ? found.count : sum.partialValue))
        guard results == .success || results == .warnings else { return results }
        let isTooMuch = limit.map { found.count > $0 } ?? false
        let words = found.count == 1 ? "1 warning" : "\(found.count) warnings"
        await context.setSummary(isTooMuch ? "\(words), limit \(limit ?? 0)" : words)
        return isTooMuch ? .failure : .warnings
    }
}

/// The setting `maxWarnCount`.
struct WarningLimit: SettingValue {
    let count: Int

    static var shape: String { "a whole number from 0" }

    static var form: ValueForm { .integer }

    static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> WarningLimit? {
        guard case .int(let count) = node.resolved, count >= 0 else {
            return decoder.mismatch(node, expected: shape)
        }
        return WarningLimit(count: count)
    }
}

/// The warnings in the output of a command.
private struct FoundWarnings {
    /// The maximum number of warnings kept for the log.
    private static let keptCount = 1000

    private(set) var lines: [String] = []
    private(set) var count = 0
    /// The error if lines could not be searched.
    private(set) var fault: RenderError?
    private let pattern: Pattern

    init(_ pattern: Pattern) {
        self.pattern = pattern
    }

    mutating func note(_ line: OutputLine) {
        do {
            guard try pattern.isFound(in: line.text) else { return }
            count += 1
            if lines.count < Self.keptCount { lines.append(line.text) }
        } catch {
            fault = error
        }
    }
}

extension Pattern {
    /// The pattern for warnings of common compilers.
    fileprivate static let ofCompilers: Pattern = {
        do {
            return try Pattern("(?i)warning[: ]")
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
