internal import MasterKit

/// How a step ended and what its last words were.
struct StepOutcome: Sendable {
    var results: Results
    var isTimedOut = false

    init(_ results: Results, isTimedOut: Bool = false) {
        self.results = results
        self.isTimedOut = isTimedOut
    }

    /// What the outcome makes of the build: the result it contributes, and whether the build ends.
    func effect(_ policy: StepPolicy) -> (contribution: Results, ends: Bool) {
        switch results {
        case .success, .skipped:
            (.success, false)
        case .warnings:
            if policy.flunkOnWarnings {
                (.failure, false)
            } else {
                (policy.warnOnWarnings ? .warnings : .success, false)
            }
        case .failure:
            if policy.flunkOnFailure {
                (.failure, policy.haltOnFailure)
            } else {
                (policy.warnOnFailure ? .warnings : .success, policy.haltOnFailure)
            }
        case .exception, .retry, .cancelled:
            (results, true)
        }
    }
}

/// Which outcomes of a step's work are followed by another try, as the option `retry` says.
struct StepRetry: Sendable {
    let policy: RetryPolicy
    /// How many tries there are.
    let attempts: Int

    init(_ policy: RetryPolicy) {
        self.policy = policy
        attempts = policy.attempts ?? RetryPolicy.standardAttempts
    }

    /// What a try came to, in words, if another one may follow it.
    func reason(for outcome: Result<Results, any Error>, isTimedOut: Bool) -> String? {
        let causes = policy.causes ?? [.failure, .exception]
        switch outcome {
        case .success(.failure):
            guard causes.contains(.failure) || isTimedOut && causes.contains(.timeout)
            else { return nil }
            return isTimedOut ? "failure (timed out)" : "failure"
        case .success(.exception):
            return causes.contains(.exception) ? "exception" : nil
        case .failure(let error):
            let isFinal = error is WorkerLost || error is LogFault || error is RenderError
            return causes.contains(.exception) && !isFinal ? "exception (\(error))" : nil
        case .success:
            return nil
        }
    }
}

/// What a step's result does to its build, rendered before the step runs.
struct StepPolicy: Sendable {
    var haltOnFailure = false
    var flunkOnFailure = true
    var flunkOnWarnings = false
    var warnOnFailure = false
    var warnOnWarnings = false
    var alwaysRun = false

    init(_ options: StepOptions, in context: RenderContext) throws(RenderError) {
        haltOnFailure = try options.haltOnFailure.render(in: context)
        flunkOnFailure = try options.flunkOnFailure.render(in: context)
        flunkOnWarnings = try options.flunkOnWarnings.render(in: context)
        warnOnFailure = try options.warnOnFailure.render(in: context)
        warnOnWarnings = try options.warnOnWarnings.render(in: context)
        alwaysRun = try options.alwaysRun.render(in: context)
    }

    init() {}

    /// The results that are told in the build's state when the file does not say which.
    var told: SummaryPolicy {
        var told: Set<Results> = [.exception, .retry, .cancelled]
        if flunkOnFailure || haltOnFailure || warnOnFailure { told.insert(.failure) }
        if warnOnWarnings || flunkOnWarnings { told.insert(.warnings) }
        return SummaryPolicy(told)
    }
}

/// What is shown of a step while it runs and when it has finished.
struct StepTexts {
    private let options: StepOptions

    init(_ options: StepOptions) {
        self.options = options
    }

    /// What is shown while it runs.
    ///
    /// - Parameter context: The build as it stands before the step begins.
    /// - Returns: The text to begin with, and what becomes of the step's own words.
    /// - Throws: ``RenderError`` when what the file says can't be rendered.
    func running(in context: RenderContext) throws(RenderError) -> RunningText {
        let description = try options.description?.render(in: context).text
        return RunningText(
            description: description ?? "running", isFixed: options.$description.isGiven,
            suffix: try options.descriptionSuffix?.render(in: context).text)
    }

    /// The text when it has finished.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - summary: What the step itself said last.
    ///   - attempt: Which try of the work it was, in words, when it was tried again.
    ///   - context: The build as it stands.
    /// - Returns: The words, with the result unless it is a success.
    /// - Throws: ``RenderError`` when what the file says can't be rendered.
    func done(
        _ outcome: StepOutcome, summary: String?, attempt: String? = nil,
        in context: RenderContext
    ) throws(RenderError) -> String {
        var text = try words(
            summary: options.describesFinishedStep ? nil : summary, in: context)
        if let attempt { text += " (\(attempt))" }
        if outcome.results != .success { text += " (\(outcome.results.name))" }
        if outcome.isTimedOut { text += " (timed out)" }
        return text
    }

    private func words(summary: String?, in context: RenderContext) throws(RenderError) -> String {
        if let summary { return try with(suffix: summary, in: context) }
        let described = try options.finishedDescription?.render(in: context)
        return try with(suffix: described?.text ?? "finished", in: context)
    }

    private func with(
        suffix text: String, in context: RenderContext
    ) throws(RenderError) -> String {
        guard let suffix = try options.descriptionSuffix?.render(in: context) else { return text }
        return text + " " + suffix.text
    }
}

/// What is shown of a step while it runs.
struct RunningText: Sendable {
    /// What is shown until the step itself says something.
    var description = "running"
    /// Whether that is shown whatever the step says.
    var isFixed = false
    /// What is added.
    var suffix: String?

    /// The text before the step has said anything.
    var first: String { with(description) }

    /// The text when the step has said something; `nil` when that changes nothing.
    func showing(_ summary: String) -> String? {
        isFixed ? nil : with(summary)
    }

    private func with(_ text: String) -> String {
        suffix.map { "\(text) \($0)" } ?? text
    }
}
