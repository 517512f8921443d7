internal import MasterKit

/// Something in the life of a build that people are told.
enum Transition: Sendable, Hashable {
    case buildStarted(BuildView)
    case buildFinished(BuildView)
    case stepStarted(StepView, of: BuildView)
    case stepFinished(StepView, of: BuildView)
    case output([LogLine], StepView, of: BuildView)
}

extension Transition {
    /// The transition as lines, their parts two spaces apart.
    func lines(_ paint: TextPainter) -> [String] {
        switch self {
        case .buildStarted(let build):
            [Self.joined([build.title, "started"])]
        case .buildFinished(let build):
            [
                Self.joined(
                    [build.title] + Self.end(build.results, build.duration, build.remark, paint))
            ]
        case .stepStarted(let step, let build):
            [Self.joined([build.title, step.title, "started"])]
        case .stepFinished(let step, let build):
            [
                Self.joined(
                    [build.title, step.title]
                        + Self.end(step.results, step.duration, step.remark, paint))
            ]
        case .output(let lines, let step, let build):
            lines.map {
                paint(.dim, Self.joined([build.title, step.title, "|"])) + " " + $0.shown(paint)
            }
        }
    }

    private static func joined(_ parts: [String?]) -> String {
        parts.compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "  ")
    }

    private static func end(
        _ results: Results?, _ duration: Duration?, _ remark: String, _ paint: TextPainter
    ) -> [String?] {
        [paint(TextStyle(results), Results.text(results)), duration?.forPeople, remark]
    }
}

extension StepView {
    /// How a line names the step, such as `2 compile`.
    fileprivate var title: String { "\(number) \(name.makingControlsVisible())" }
}
