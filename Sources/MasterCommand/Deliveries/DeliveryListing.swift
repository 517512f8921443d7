internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// Formats deliveries as a table, followed by the closed endpoints.
struct DeliveryListing {
    private let paint: TextPainter
    private let marks: StatusSymbols
    private let advice: DeliveriesAdvice
    private let width: Int
    private var table: TextTable
    /// Whether no delivery has been listed.
    private(set) var isEmpty = true

    init(_ traits: TerminalTraits, _ advice: DeliveriesAdvice, width: Int) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
        self.advice = advice
        self.width = width
        table = TextTable(paint: paint)
    }

    /// Formats a page of deliveries.
    mutating func lines(_ deliveries: [DeliveryRecord]) -> [String] {
        if isEmpty, !deliveries.isEmpty {
            let heads = ["id", "state", "reporter", "report", "tries", "why"]
            table.add(heads.map { .init($0, .dim) })
            isEmpty = false
        }
        for delivery in deliveries { table.add(cells(delivery)) }
        return table.takeLines(width: width, ellipsis: marks.ellipsis)
    }

    /// Formats the lines after the last delivery.
    func end(closed: [ReporterRecord]) -> [String] {
        closed.map { paint(.yellow, line($0)) }
    }

    private func cells(_ delivery: DeliveryRecord) -> [TextTable.Cell] {
        [
            .init("\(delivery.id)", .bold),
            .init(delivery.state.rawValue, TextStyle(delivery.state)),
            .init(delivery.reporter.makingControlsVisible()),
            .init(delivery.subject.makingControlsVisible()),
            .init("\(delivery.attempts)"),
            .init(delivery.error?.makingControlsVisible() ?? ""),
        ]
    }

    private func line(_ reporter: ReporterRecord) -> String {
        let name = reporter.name.makingControlsVisible()
        let since = reporter.closedAt.map { " since \($0.forPeople)" } ?? ""
        let reason = reporter.closedReason?.makingControlsVisible() ?? "its endpoint is gone"
        return "\(name) is closed\(since): \(reason); " + advice.toOpenAgain(name)
    }
}

extension TextStyle {
    /// The style for a state.
    init(_ state: DeliveryState) {
        switch state {
        case .delivered: self = .green
        case .dead: self = .red
        case .open, .parked: self = .yellow
        case .nothing: self = .dim
        }
    }
}

extension Date {
    /// The time in UTC: `2026-11-22 18:30:11 UTC`.
    var forPeople: String {
        let text = ISO8601Format()
        return text.replacing("T", with: " ").replacing("Z", with: " UTC")
    }
}

/// Formats all details of a delivery.
struct DeliveryPage {
    let paint: TextPainter

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
    }

    /// The delivery itself, each attempt with its response, and the request body.
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
        for line in attempt.responseText?.lines ?? [] {
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

/// Formats deliveries as JSON.
enum DeliveryReport {
    /// Incremented by changes that a reader of the older format would misread.
    static let formatVersion = 1

    /// A JSON object with deliveries, written page by page, followed by the closed endpoints.
    struct List {
        private var isEmpty = true

        /// The lines before the first delivery.
        static let head = ["{", "  \"formatVersion\": \(formatVersion),", "  \"deliveries\": ["]

        /// Formats a page of deliveries.
        mutating func lines(_ deliveries: [DeliveryRecord]) -> [String] {
            deliveries.flatMap { delivery in
                var lines = JSONWriter.pretty.string(.object(delivery.json)).lines
                lines[0] = (isEmpty ? "" : ",") + lines[0]
                isEmpty = false
                return lines.map { "    " + $0 }
            }
        }

        /// The lines after the last delivery.
        func end(closed: [ReporterRecord]) -> [String] {
            let closed = JSONValue.array(
                closed.map { reporter in
                    [
                        "reporter": .string(reporter.name),
                        "at": .optional(reporter.closedAt?.ISO8601Format()),
                        "reason": .optional(reporter.closedReason),
                    ]
                })
            var lines = JSONWriter.pretty.string(closed).lines
            lines[0] = "\"closed\": " + lines[0]
            return ["  ],"] + lines.map { "  " + $0 } + ["}"]
        }
    }

    /// A delivery with its body and attempts.
    static func details(_ details: DeliveryDetails) -> JSONValue {
        var object = details.record.json
        object["webhookID"] = .string(details.webhookID)
        switch details.body {
        case .json(let value):
            object["contentType"] = "application/json"
            object["body"] = value
        case .text(let text, let contentType):
            object["contentType"] = .string(contentType)
            object["body"] = .string(text)
        case .empty, nil:
            object["contentType"] = .null
            object["body"] = .null
        }
        object["tries"] = .array(details.tries.map { .object($0.json) })
        return ["formatVersion": .int(formatVersion), "delivery": .object(object)]
    }
}

extension DeliveryRecord {
    fileprivate var json: JSONObject {
        [
            "id": .int(id), "reporter": .string(reporter), "report": .string(subject),
            "event": .optional(event), "builder": .optional(builder),
            "number": .optional(buildNumber), "state": .string(state.rawValue),
            "tries": .int(attempts), "status": .optional(status),
            "since": .string(since.ISO8601Format()),
            "nextTry": .optional(nextTry?.ISO8601Format()), "error": .optional(error),
            "bytes": .int(byteCount),
        ]
    }
}

extension DeliveryTry {
    fileprivate var json: JSONObject {
        [
            "number": .int(number), "at": .string(at.ISO8601Format()),
            "seconds": .double(duration / .seconds(1)), "status": .optional(status),
            "error": .optional(error), "answer": .optional(responseText),
        ]
    }
}
