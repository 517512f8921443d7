/// The settings common to all steps: when a step runs and what its result does to the build.
public struct StepOptions: Sendable {
    /// The name in the build; by default the plugin's.
    public var name: Renderable<String>?
    /// Whether a failure ends the build.
    public var haltOnFailure = Renderable(false)
    /// Whether a failure makes the build fail.
    public var flunkOnFailure = Renderable(true)
    /// Whether warnings make the build fail.
    public var flunkOnWarnings = Renderable(false)
    /// Whether a failure gives the build warnings, when it does not make it fail.
    public var warnOnFailure = Renderable(false)
    /// Whether warnings give the build warnings.
    public var warnOnWarnings = Renderable(false)
    /// Whether the step runs even after the build was ended or stopped.
    public var alwaysRun = Renderable(false)
    /// Whether the step runs at all.
    public var doStepIf = Renderable(true)
    /// Whether displays leave the step out.
    public var hideStepIf = Renderable(false)
    /// What is shown while the step runs.
    public var description: Renderable<Words>?
    /// What is shown when the step has finished.
    public var descriptionDone: Renderable<Words>?
    /// What is added to either.
    public var descriptionSuffix: Renderable<Words>?
    /// Which results of the step are told in the build's state.
    public var updateBuildSummaryPolicy: SummaryPolicy?
    /// The encoding of the output of commands.
    public var logEncoding: LogEncoding = .utf8
    /// Where commands run, relative to the build's folder.
    public var workdir: Renderable<String>?
    /// How long the whole step may take.
    public var maxTime: Renderable<Duration>?
    /// How large each log of the step may become.
    public var maxLogSize = LogLimit.standard

    /// Makes the options every step has.
    public init() {}
}

/// How large a log may become: a size, or 0 or null for any.
public struct LogLimit: SettingValue, Hashable {
    /// The number of bytes; `nil` for any.
    public let byteCount: Int?

    /// Makes a limit; without a number there is none.
    public init(byteCount: Int?) {
        self.byteCount = byteCount
    }

    /// 64 MiB.
    public static let standard = LogLimit(byteCount: 64 << 20)
    /// Stands for the limit of the step's type, when the file says nothing.
    static let ofTheStep = LogLimit(byteCount: -1)

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

/// The settings of ``StepOptions`` as they stand in a file, each only when it is given.
struct StepOptionSettings: Settings {
    @Setting("The step's name, at most 50 characters.", .notEmpty)
    var name: Renderable<String>?
    @Setting("End the build when this step fails.") var haltOnFailure: Renderable<Bool>?
    @Setting("A failure of this step fails the build.") var flunkOnFailure: Renderable<Bool>?
    @Setting("Warnings of this step fail the build.") var flunkOnWarnings: Renderable<Bool>?
    @Setting("A failure gives the build warnings.") var warnOnFailure: Renderable<Bool>?
    @Setting("Warnings give the build warnings.") var warnOnWarnings: Renderable<Bool>?
    @Setting("Run even after the build was ended or stopped.")
    var alwaysRun: Renderable<Bool>?
    @Setting("Run only if this holds.") var doStepIf: Renderable<Bool>?
    @Setting("Leave the step out of displays if this holds.") var hideStepIf: Renderable<Bool>?
    @Setting("Shown while the step runs.") var description: Renderable<Words>?
    @Setting("Shown when the step has finished.") var descriptionDone: Renderable<Words>?
    @Setting("Added to what is shown.") var descriptionSuffix: Renderable<Words>?
    @Setting("Which results are told in the build's state.")
    var updateBuildSummaryPolicy: SummaryPolicy?
    @Setting("The encoding of the output of commands.") var logEncoding: LogEncoding?
    @Setting("Where commands run.", .notEmpty) var workdir: Renderable<String>?
    @Setting("How long the whole step may take.") var maxTime: Renderable<Duration>?
    @Setting("How large each log may become; 0 for no limit.", .named("max_log_size"))
    var maxLogSize: LogLimit = .ofTheStep

    /// Lays what the file says over a type's own options.
    func applied(to defaults: StepOptions) -> StepOptions {
        var options = defaults
        options.name = name ?? options.name
        options.haltOnFailure = haltOnFailure ?? options.haltOnFailure
        options.flunkOnFailure = flunkOnFailure ?? options.flunkOnFailure
        options.flunkOnWarnings = flunkOnWarnings ?? options.flunkOnWarnings
        options.warnOnFailure = warnOnFailure ?? options.warnOnFailure
        options.warnOnWarnings = warnOnWarnings ?? options.warnOnWarnings
        options.alwaysRun = alwaysRun ?? options.alwaysRun
        options.doStepIf = doStepIf ?? options.doStepIf
        options.hideStepIf = hideStepIf ?? options.hideStepIf
        options.description = description ?? options.description
        // What the file says of a running step also holds for a finished one.
        let ownDone = description == nil ? options.descriptionDone : nil
        options.descriptionDone = descriptionDone ?? ownDone
        options.descriptionSuffix = descriptionSuffix ?? options.descriptionSuffix
        options.updateBuildSummaryPolicy =
            updateBuildSummaryPolicy ?? options.updateBuildSummaryPolicy
        options.logEncoding = logEncoding ?? options.logEncoding
        options.workdir = workdir ?? options.workdir
        options.maxTime = maxTime ?? options.maxTime
        if maxLogSize != .ofTheStep { options.maxLogSize = maxLogSize }
        return options
    }
}

extension StepOptionSettings: CheckedOptions {
    /// Finds a name that is too long; one that is computed is cut when it is known.
    func check(_ settings: SettingsCheck) {
        let limit = StepRecord.maximumNameLength
        guard let count = name?.constant?.count, count > limit else { return }
        settings.error(
            "the name of a step has at most \(limit) characters, not \(count)", at: "name")
    }
}

extension PluginDeclaration where P == any Step {
    /// The type's own options with what the file says laid over them.
    public var stepOptions: StepOptions {
        let defaults = type(of: plugin).options
        return (options as? StepOptionSettings)?.applied(to: defaults) ?? defaults
    }

    /// Whether the file says what is shown of the running step, which wins over the step's own
    /// words.
    public var hasOwnDescription: Bool {
        (options as? StepOptionSettings)?.description != nil
    }

    /// Whether the file says what is shown of the finished step, which wins over the step's own
    /// words.
    public var hasOwnDescriptionDone: Bool {
        let given = options as? StepOptionSettings
        return given?.description != nil || given?.descriptionDone != nil
    }
}
