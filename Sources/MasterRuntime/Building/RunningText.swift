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
