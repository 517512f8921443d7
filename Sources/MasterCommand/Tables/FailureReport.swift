internal import FoundationEssentials
internal import MasterKit

/// Shows why builds failed: the last lines of the logs of the steps that did.
struct FailureReport {
    /// Gives colours.
    let paint: TextPainter
    /// Gives marks.
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The steps of a build whose logs are worth a look.
    static func failedSteps(of build: BuildView) -> [StepView] {
        build.steps.filter { $0.results == .failure || $0.results == .exception }
    }

    /// The lines for one log of a failed step.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - build: Its build.
    ///   - path: Where the log is.
    ///   - tail: Its end.
    /// - Returns: A head line and the lines of the log, none for an empty log.
    func lines(_ step: StepView, of build: BuildView, log path: String, _ tail: LogTail) -> [String]
    {
        guard !tail.lines.isEmpty else { return [] }
        let name = step.name.makingControlsVisible()
        let what = tail.isCut ? "the end of \(path)" : path
        let head = "\(marks(step.results)) \(build.title)  \(name)  \(paint(.dim, what))"
        return [head]
            + tail.lines.map { paint(.dim, "  | ") + $0.shown(paint) }
    }
}
