internal import MasterKit

/// How a step ended.
struct StepOutcome: Sendable {
    var results: Results
    var isTimedOut = false

    init(_ results: Results, isTimedOut: Bool = false) {
        self.results = results
        self.isTimedOut = isTimedOut
    }

    /// The effect of the outcome on the build: the result it contributes, and whether the build
    /// ends.
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

/// Decides which outcomes of a step's work are retried, according to the `retry` option.
struct StepRetry: Sendable {
    let policy: RetryPolicy
    /// The maximum number of attempts.
    let attempts: Int

    init(_ policy: RetryPolicy) {
        self.policy = policy
        attempts = policy.attempts ?? RetryPolicy.standardAttempts
    }

    /// Describes the outcome of an attempt if it may be retried, or returns `nil`.
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

/// The effects of a step's result on its build, rendered before the step runs.
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

    /// The results that are included in the build's state string by default.
    var told: SummaryPolicy {
        var told: Set<Results> = [.exception, .retry, .cancelled]
        if flunkOnFailure || haltOnFailure || warnOnFailure { told.insert(.failure) }
        if warnOnWarnings || flunkOnWarnings { told.insert(.warnings) }
        return SummaryPolicy(told)
    }
}

/// The texts shown for a step while it runs and after it has finished.
extension StepOptions {
    /// The text shown while the step runs.
    ///
    /// - Parameter context: The build before the step begins.
    /// - Returns: The initial text, and how it is combined with the step's own summary.
    /// - Throws: ``RenderError`` if a configured text cannot be rendered.
    func runningText(in context: RenderContext) throws(RenderError) -> RunningText {
        let text = try description?.render(in: context).text
        return RunningText(
            description: text ?? "running", isFixed: $description.isGiven,
            suffix: try descriptionSuffix?.render(in: context).text)
    }

    /// The text shown after the step has finished.
    ///
    /// - Parameters:
    ///   - outcome: How the step ended.
    ///   - summary: The last summary set by the step itself.
    ///   - attempt: A description of the attempt, if the work was retried.
    ///   - context: The current build.
    /// - Returns: The text, and what is appended to it: any result but success and exception. The
    ///   reason of an exception begins with this word.
    /// - Throws: ``RenderError`` if a configured text cannot be rendered.
    func finishedText(
        _ outcome: StepOutcome, summary: String?, attempt: String? = nil,
        in context: RenderContext
    ) throws(RenderError) -> (words: String, suffix: String) {
        let said = describesFinishedStep ? nil : summary
        var described = said
        if described == nil {
            described = try finishedDescription?.render(in: context).text
        }
        var text = try with(suffix: described ?? "finished", in: context)
        var suffix = attempt.map { " (\($0))" } ?? ""
        switch outcome.results {
        case .success: break
        case .exception where described == nil: text = outcome.results.name
        case .exception where said != nil: text = "\(outcome.results.name): \(text)"
        default: suffix += " (\(outcome.results.name))"
        }
        if outcome.isTimedOut { suffix += " (timed out)" }
        return (text, suffix)
    }

    private func with(
        suffix text: String, in context: RenderContext
    ) throws(RenderError) -> String {
        guard let suffix = try descriptionSuffix?.render(in: context) else { return text }
        return text + " " + suffix.text
    }
}

/// The text shown for a step while it runs.
struct RunningText: Sendable {
    /// The text until the step sets a summary.
    var description = "running"
    /// Whether the text stays the same whatever summary the step sets.
    var isFixed = false
    /// The suffix.
    var suffix: String?

    /// The text before the step has set a summary.
    var first: String { with(description) }

    /// The text after the step has set a summary, or `nil` if it stays the same.
    func showing(_ summary: String) -> String? {
        isFixed ? nil : with(summary)
    }

    private func with(_ text: String) -> String {
        suffix.map { "\(text) \($0)" } ?? text
    }
}
