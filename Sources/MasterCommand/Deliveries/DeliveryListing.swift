internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// Deliveries as a table, and the endpoints that are closed.
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

    /// The lines of some more deliveries.
    mutating func lines(_ deliveries: [DeliveryRecord]) -> [String] {
        if isEmpty, !deliveries.isEmpty {
            let heads = ["id", "state", "reporter", "report", "tries", "why"]
            table.add(heads.map { .init($0, .dim) })
            isEmpty = false
        }
        for delivery in deliveries { table.add(cells(delivery)) }
        return table.takeLines(width: width, ellipsis: marks.ellipsis)
    }

    /// The lines after the last delivery.
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
    /// The style in which a state is shown.
    init(_ state: DeliveryState) {
        switch state {
        case .delivered: self = .green
        case .dead: self = .red
        case .open, .parked, .nothing: self = .yellow
        }
    }
}

extension Date {
    /// The moment in universal time: `2026-11-22 18:30:11 UTC`.
    var forPeople: String {
        let text = ISO8601Format()
        return text.replacing("T", with: " ").replacing("Z", with: " UTC")
    }
}
