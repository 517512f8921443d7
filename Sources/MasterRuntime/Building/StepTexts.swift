internal import MasterKit

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
    ///   - context: The build as it stands.
    /// - Returns: The words, with the result when it is no success.
    /// - Throws: ``RenderError`` when what the file says can't be rendered.
    func done(
        _ outcome: StepOutcome, summary: String?, in context: RenderContext
    ) throws(RenderError) -> String {
        var text = try words(
            summary: options.describesFinishedStep ? nil : summary, in: context)
        if outcome.results != .success { text += " (\(outcome.results.name))" }
        if outcome.isTimedOut { text += " (timed out)" }
        return text
    }

    private func words(
        summary: String?, in context: RenderContext
    ) throws(RenderError) -> String {
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
