/// A part of a build: it does one thing and says how it went.
///
/// A step is shared by all builds; what belongs to one run lives in ``run(in:)``.
public protocol Step: Plugin where Options == StepOptions {
    /// Does the work. Called once per try in a build, in a task of its own that is cancelled when the
    /// build is stopped.
    ///
    /// - Returns: How it went; a failed build is never a thrown error.
    /// - Throws: Only what was not expected; it becomes the result exception, with a log of it.
    func run(in context: StepContext) async throws -> Results
}

extension Step {
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
    /// Steps.
    public static var steps: Self { Self("steps", scope: .build) }
}

/// The settings common to all steps: when a step runs and what its result does to the build.
public struct StepOptions: Settings {
    /// The name in the build; by default the plugin's.
    @Setting("The step's name, at most 50 characters.", .notEmpty)
    public var name: Renderable<String>?
    /// Whether a failure ends the build.
    @Setting("End the build when this step fails.")
    public var haltOnFailure = Renderable(false)
    /// Whether a failure makes the build fail.
    @Setting("A failure of this step fails the build.")
    public var flunkOnFailure = Renderable(true)
    /// Whether warnings make the build fail.
    @Setting("Warnings of this step fail the build.")
    public var flunkOnWarnings = Renderable(false)
    /// Whether a failure gives the build warnings, when it does not make it fail.
    @Setting("A failure gives the build warnings.")
    public var warnOnFailure = Renderable(false)
    /// Whether warnings give the build warnings.
    @Setting("Warnings give the build warnings.")
    public var warnOnWarnings = Renderable(false)
    /// Whether the step runs even after the build was ended or stopped.
    @Setting("Run even after the build was ended or stopped.")
    public var alwaysRun = Renderable(false)
    /// Whether the step runs at all.
    @Setting("Run only if this is true.")
    public var doStepIf = Renderable(true)
    /// Whether displays leave the step out.
    @Setting("Hide the step if this is true.")
    public var hideStepIf = Renderable(false)
    /// What is shown while the step runs.
    @Setting("Shown while the step runs.")
    public var description: Renderable<Words>?
    /// What is shown when the step has finished.
    @Setting("Shown when the step has finished.")
    public var descriptionDone: Renderable<Words>?
    /// Appended to the description.
    @Setting("Appended to the description.")
    public var descriptionSuffix: Renderable<Words>?
    /// Which results of the step are mentioned in the build's state.
    @Setting("Results that are mentioned in the build's state.")
    public var updateBuildSummaryPolicy: SummaryPolicy?
    /// The encoding of the output of commands.
    @Setting("The encoding of the output of commands.")
    public var logEncoding = LogEncoding.utf8
    /// Where commands run, relative to the build's folder.
    @Setting("Where commands run.", .notEmpty)
    public var workdir: Renderable<String>?
    /// How long the whole step may take.
    @Setting("How long the whole step may take.")
    public var maxTime: Renderable<Duration>?
    /// How often the step is tried; steps with a setting `retry` of their own have no such option.
    @Setting("How often the step is tried, and after what it is tried again.")
    public var retry: Renderable<RetryPolicy?>
    /// How large each log of the step may become.
    @Setting("How large each log may become; 0 for no limit.", .named("max_log_size"))
    public var maxLogSize = LogLimit.standard

    /// Makes the options every step has.
    public init() {}

    /// What is shown when the step has finished: where the file describes the running step, not
    /// the type's own words.
    package var finishedDescription: Renderable<Words>? {
        if $descriptionDone.isGiven || !$description.isGiven, let descriptionDone {
            return descriptionDone
        }
        return description
    }

    /// Whether the file says what is shown of the finished step, which wins over the step's own
    /// words.
    package var describesFinishedStep: Bool { $description.isGiven || $descriptionDone.isGiven }

    /// Finds a name that is too long, and causes of `retry` that only requests have; a name that is
    /// computed is cut when it is known.
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

/// The largest size of a log; 0 or null for no limit.
public struct LogLimit: SettingValue, Hashable {
    /// The number of bytes; `nil` for no limit.
    public let byteCount: Int?

    /// Makes a limit; `nil` for none.
    public init(byteCount: Int?) {
        self.byteCount = byteCount
    }

    /// 64 MiB.
    public static let standard = LogLimit(byteCount: 64 << 20)

    /// A size.
    public static var shape: String { "\(ByteCount.shape), or 0 for no limit" }

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
    /// What to do instead of writing settings that Buildbot's steps have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "run", "script", "cmd", "shell_command": "write 'command'"
        case "if", "when", "only_if": "write 'doStepIf'"
        case "continue_on_error", "continue-on-error", "allow_failure":
            "write 'flunkOnFailure: false'"
        case "cwd", "working_directory", "working-directory", "dir": "write 'workdir'"
        case "environment": "write 'env'"
        case "locks":
            "steps can't wait for locks in this version; 'run --jobs 1' builds one at a time"
        default: nil
        }
    }
}

/// Which results of a step are mentioned in its build's state.
public struct SummaryPolicy: SettingValue {
    private let told: Set<Results>

    /// Makes a policy.
    public init(_ told: Set<Results>) {
        self.told = told
    }

    /// True, false or a list of results.
    public static var shape: String { "true, false or a list of results" }

    /// Reads true for all results, false for none, or a list.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> SummaryPolicy? {
        if case .sequence = node.kind {
            return decoder.decode([Results].self, from: node).map { SummaryPolicy(Set($0)) }
        }
        guard let all = decoder.boolean(of: node) else {
            return decoder.mismatch(node, expected: shape)
        }
        return SummaryPolicy(all ? Set(Results.allCases) : [])
    }

    /// Whether a result is told.
    package func tells(_ results: Results) -> Bool { told.contains(results) }
}
