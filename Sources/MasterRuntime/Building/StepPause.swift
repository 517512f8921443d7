package import MasterKit

/// A step that failed, before its result is recorded.
package struct FailedStep: Sendable {
    /// The builder and the number of the build.
    package let builder: String
    package let build: Int
    /// The position and name of the step.
    package let number: Int
    package let name: String
    package let results: Results
    /// The state text, with secrets replaced.
    package let stateString: String
    /// The folder in which its last command ran, or its own.
    package let workdir: String
    /// The environment of its last command, secrets included.
    package let environment: [String: String]
    /// The files of its logs.
    package let logs: [String]
}

/// What becomes of a step that failed.
package enum FailureDecision: Sendable {
    /// The failure counts.
    case goOn
    /// The step runs again.
    case retry
    /// The build goes on as if the step had been skipped.
    case skip
    /// The build is stopped.
    case abort
}

/// Asks what becomes of a step that failed; the task is cancelled when the build is stopped.
package typealias FailureQuestion = @Sendable (FailedStep) async -> FailureDecision

/// What a developer's run has beside the configuration.
package struct DeveloperAids: Sendable {
    /// The working tree that source steps take instead of fetching their repositories.
    package var workingTree: WorkingTree?
    /// Asks what becomes of a step that failed; `nil` to go on.
    package var failureQuestion: FailureQuestion?
}

extension BuildControl {
    /// Asks a question; the build is paused until it is answered.
    func ask(_ question: @escaping FailureQuestion, about step: FailedStep) async -> FailureDecision
    {
        beginPause()
        defer { endPause() }
        // In a task that ends when the build is stopped; the answer is awaited.
        let decision = await run(alwaysRun: false) { await question(step) }
        return stopReason == nil ? decision : .goOn
    }
}
