internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// All that is known of a delivery, for people.
struct DeliveryPage {
    /// Gives colours.
    let paint: TextPainter

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
    }

    /// The lines: what it is, each try with its answer, and the body of the requests.
    func lines(_ details: DeliveryDetails) -> [String] {
        head(details) + details.tries.flatMap { [""] + lines($0) } + [""] + body(details)
    }

    private func head(_ details: DeliveryDetails) -> [String] {
        let record = details.record
        let title = "delivery \(record.id): \(record.reporter), \(record.subject)"
        var facts = [(record.state.rawValue, TextStyle(record.state))]
        if let next = record.nextTry { facts.append(("next try \(next.forPeople)", .dim)) }
        let state = facts.map { paint($0.1, $0.0) }.joined(separator: ", ")
        return [
            paint(.bold, title.makingControlsVisible()),
            "state       \(state)",
            "since       \(record.since.forPeople)",
            "webhook-id  \(details.webhookID)",
        ] + (record.error.map { ["why         \($0.makingControlsVisible())"] } ?? [])
    }

    private func lines(_ attempt: DeliveryTry) -> [String] {
        let status = attempt.status.map { "answer \($0)" } ?? "no answer"
        let head =
            "try \(attempt.number)  \(attempt.at.forPeople)  "
            + "\(attempt.duration.forPeople)  \(status)"
        var lines = [paint(.bold, head)]
        if let error = attempt.error { lines.append("  \(error.makingControlsVisible())") }
        for line in attempt.answer?.lines ?? [] {
            lines.append(paint(.dim, "  | ") + line.makingControlsVisible(keepingTabs: true))
        }
        return lines
    }

    private func body(_ details: DeliveryDetails) -> [String] {
        switch details.body {
        case nil:
            let isThere = details.record.state == .delivered
            return [isThere ? "the body of a delivered report is not kept" : "there is no body"]
        case .empty:
            return ["the body is empty"]
        case .json(let value):
            return [paint(.bold, "body, application/json")] + shown(JSONWriter.pretty.string(value))
        case .text(let text, let contentType):
            return [paint(.bold, "body, \(contentType.makingControlsVisible())")] + shown(text)
        }
    }

    private func shown(_ text: String) -> [String] {
        text.lines.map { $0.makingControlsVisible(keepingTabs: true) }
    }
}
