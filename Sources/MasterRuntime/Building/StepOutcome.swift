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
