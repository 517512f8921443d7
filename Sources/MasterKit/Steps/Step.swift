/// A step of a build: it does one thing and returns a result.
///
/// A step is shared by all builds; the state of a single run belongs in ``run(in:)``.
public protocol Step: Plugin where Options == StepOptions {
    /// Runs the step. Called for each attempt, in a task that is cancelled when the build is stopped
    /// or a time limit is over; that of a step with `alwaysRun` only by a second stop or its own
    /// limit.
    ///
    /// - Returns: The result; a failed build is never a thrown error.
    /// - Throws: Only unexpected errors; the step's result is then exception, with the error in a
    ///   log.
    func run(in context: StepContext) async throws -> Results

    /// The logs that the configured step may write and the properties that it may set, or `nil` if
    /// the type does not tell. With it, `check` finds names of logs and properties that nothing has.
    var products: StepProducts? { get }
}

extension Step {
    /// Unknown.
    public var products: StepProducts? { nil }

    /// The namespace `steps`.
    public static var namespace: PluginNamespace { PluginKind.steps.namespace }
}

/// A step that fetches the sources of its build.
///
/// The steps of a builder that has one run in `build` in the builder's own folder, those of any
/// other in the folder of master.yaml.
public protocol SourceStep: Step {}

/// A step as master.yaml declares it.
package typealias StepDeclaration = PluginDeclaration<any Step, StepOptions>

extension PluginKind<any Step, StepOptions> {
    /// The plugin kind for steps.
    public static var steps: Self { Self("steps", scope: .build) }
}

/// The settings common to all steps: when a step runs and how its result affects the build.
public struct StepOptions: Settings {
    /// The step's name in the build; by default the plugin's name.
    @Setting("The step's name, at most 50 characters.", .notEmpty)
    public var name: Renderable<String>?
    /// Whether a failure ends the build.
    @Setting("End the build when this step fails.")
    public var haltOnFailure = Renderable(false)
    /// Whether a failure makes the whole build fail.
    @Setting("A failure of this step fails the build.")
    public var flunkOnFailure = Renderable(true)
    /// Whether warnings make the build fail.
    @Setting("Warnings of this step fail the build.")
    public var flunkOnWarnings = Renderable(false)
    /// Whether a failure gives the build the result warnings, if it does not make the build fail.
    @Setting("A failure gives the build warnings.")
    public var warnOnFailure = Renderable(false)
    /// Whether warnings give the build the result warnings.
    @Setting("Warnings give the build warnings.")
    public var warnOnWarnings = Renderable(false)
    /// Whether the step runs even if the build has been halted or stopped.
    @Setting("Run even after the build was ended or stopped.")
    public var alwaysRun = Renderable(false)
    /// Whether the step runs at all.
    @Setting("Run only if this is true.")
    public var doStepIf = Renderable(true)
    /// Whether the step is hidden in displays.
    @Setting("Hide the step if this is true.")
    public var hideStepIf = Renderable(false)
    /// The description shown while the step runs.
    @Setting("Shown while the step runs.")
    public var description: Renderable<Words>?
    /// The description shown when the step has finished.
    @Setting("Shown when the step has finished.")
    public var descriptionDone: Renderable<Words>?
    /// A suffix appended to the description.
    @Setting("Appended to the description.")
    public var descriptionSuffix: Renderable<Words>?
    /// Which results of the step are included in the build's state text.
    @Setting("Results that are mentioned in the build's state.")
    public var updateBuildSummaryPolicy: SummaryPolicy?
    /// The locks that the step holds while it runs.
    @Setting("Locks that the step holds while it runs.")
    public var locks = Renderable(LockList())
    /// Links attached to the step, computed when it has finished.
    @Setting("Links attached to the step, by their texts.")
    public var urls: Renderable<ExactDictionary<String>> = Renderable([:])
    /// The encoding of command output.
    @Setting("The encoding of the output of commands.")
    public var logEncoding = LogEncoding.utf8
    /// The folder in which commands run, relative to the build's folder.
    @Setting("Where commands run.", .notEmpty)
    public var workdir: Renderable<String>?
    /// The time limit for the whole step.
    @Setting("How long the whole step may take.")
    public var maxTime: Renderable<Duration>?
    /// How often the step is tried; not available for steps that declare their own `retry` setting.
    @Setting("How often the step is tried, and after what it is tried again.")
    public var retry: Renderable<RetryPolicy?>
    /// The size limit for each log of the step.
    @Setting("How large each log may become; 0 for no limit.", .named("max_log_size"))
    public var maxLogSize = LogLimit.standard

    /// Creates the options with their defaults.
    public init() {}

    /// The description of the finished step: where the file describes the running step, it takes
    /// precedence over the type's default.
    package var finishedDescription: Renderable<Words>? {
        if $descriptionDone.isGiven || !$description.isGiven, let descriptionDone {
            return descriptionDone
        }
        return description
    }

    /// Whether the file describes the finished step, which takes precedence over the step's own
    /// summary.
    package var describesFinishedStep: Bool { $description.isGiven || $descriptionDone.isGiven }

    /// Rejects a limit of no time, a name that is too long, and causes in `retry` that only apply
    /// to requests; a computed name is truncated at run time instead.
    public func check(_ settings: SettingsCheck) {
        if settings.isGiven("warnOnFailure"), warnOnFailure.constant == true,
            flunkOnFailure.constant == true
        {
            settings.warning(
                "'warnOnFailure' has no effect while 'flunkOnFailure' is true; add "
                    + "'flunkOnFailure: false'", at: "warnOnFailure")
        }
        if settings.isGiven("warnOnWarnings"), warnOnWarnings.constant == true,
            flunkOnWarnings.constant == true
        {
            settings.warning(
                "'warnOnWarnings' has no effect while 'flunkOnWarnings' is true; keep one",
                at: "warnOnWarnings")
        }
        if maxTime?.constant == .zero {
            settings.error("'maxTime' can't be 0; omit it for no limit", at: "maxTime")
        }
        let limit = StepRecord.maximumNameLength
        if let count = name?.constant?.count, count > limit {
            settings.error(
                "the name of a step has at most \(limit) characters, not \(count)", at: "name")
        }
        let causes = retry.constant??.causes ?? []
        if !causes.allSatisfy({ [.failure, .exception, .timeout].contains($0) }) {
            settings.error(
                "'on' of this step's 'retry' takes failure, exception and timeout; the others are "
                    + "causes of HTTP steps", at: "retry")
        }
    }
}

/// The size limit for a log; 0 or null for no limit.
public struct LogLimit: SettingValue, Hashable {
    /// The limit in bytes, or `nil` for no limit.
    public let byteCount: Int?

    /// Creates a limit; `nil` for no limit.
    public init(byteCount: Int?) {
        self.byteCount = byteCount
    }

    /// 64 MiB.
    public static let standard = LogLimit(byteCount: 64 << 20)

    /// A description of the accepted values, for error messages.
    public static var shape: String { "\(ByteCount.shape), or 0 for no limit" }

    /// The form of the accepted values.
    public static var form: ValueForm { .optional(.text) }

    /// Reads a size, 0 or null.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LogLimit? {
        if node.isNull { return LogLimit(byteCount: nil) }
        guard case .scalar(let scalar) = node.kind,
            let count = ByteCount(spelling: scalar.value)?.bytes
        else { return decoder.mismatch(node, expected: shape) }
        return LogLimit(byteCount: count == 0 ? nil : count)
    }
}

extension StepOptions: SettingHints {
    /// Suggests what to use instead of settings that Buildbot's steps have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "run", "script", "cmd", "shell_command": "write 'command'"
        case "if", "when", "only_if": "write 'doStepIf'"
        case "retries", "attempts", "max_retries": "write 'retry'"
        case "continue_on_error", "continue-on-error", "allow_failure", "ignore_errors",
            "ignore_failure":
            "write 'flunkOnFailure: false'"
        case "cwd", "working_directory", "working-directory", "dir": "write 'workdir'"
        case "environment": "write 'env'"
        case "timeout": "write 'maxTime'"
        case "timeout-minutes", "timeout_minutes": "write 'maxTime', such as 5m"
        case "lock": "write 'locks'"
        case "links", "addURL", "addURLs": "write 'urls'"
        default: nil
        }
    }
}

/// The results of a step that are included in its build's state text.
public struct SummaryPolicy: SettingValue {
    private let told: Set<Results>

    /// Creates a policy.
    public init(_ told: Set<Results>) {
        self.told = told
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "true, false or a list of results" }

    /// The form of the accepted values.
    public static var form: ValueForm { .either([.boolean, .list(of: Results.form)]) }

    /// Reads true for all results, false for none, or a list of results.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SummaryPolicy? {
        if case .sequence = node.kind {
            return decoder.decode([Results].self, from: node).map { SummaryPolicy(Set($0)) }
        }
        guard let all = decoder.boolean(of: node) else {
            return decoder.mismatch(node, expected: shape)
        }
        return SummaryPolicy(all ? Set(Results.allCases) : [])
    }

    /// Whether a step with this result is included.
    package func tells(_ results: Results) -> Bool { told.contains(results) }
}
