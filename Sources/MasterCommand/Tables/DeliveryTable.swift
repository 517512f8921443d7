internal import MasterKit
internal import MasterRuntime

/// The deliveries of a run as a table: what was sent where, and what came of it.
struct DeliveryTable {
    /// Gives colours.
    let paint: TextPainter
    /// Gives marks.
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the table with a head line, and how many deliveries are not listed; none when
    /// there was nothing to deliver.
    func lines(_ summary: DeliverySummary, width: Int) -> [String] {
        let listed = summary.deliveries.filter { $0.state != .nothing }
        let left = max(0, summary.totalCount - listed.count)
        guard !listed.isEmpty || left > 0 else { return [] }
        var table = TextTable(paint: paint, indentation: "  ")
        for delivery in listed { table.add(cells(delivery)) }
        return [paint(.bold, "reports")] + table.lines(width: width, ellipsis: marks.ellipsis)
            + (left > 0 ? ["  \(marks.ellipsis) \(left) more"] : [])
    }

    private func cells(_ delivery: DeliveryStatus) -> [TextTable.Cell] {
        let (mark, style): (String, TextStyle) =
            switch delivery.state {
            case .delivered: (marks(.success), .green)
            case .dead: (marks(.failure), .red)
            case .open, .parked, .nothing: (marks.pending, .yellow)
            }
        return [
            .init("\(mark) \(delivery.reporter.makingControlsVisible())"),
            .init(delivery.subject.makingControlsVisible()),
            .init(delivery.receiver?.makingControlsVisible() ?? ""),
            .init(Self.answer(delivery), style),
        ]
    }

    /// What came of a delivery, in words.
    static func answer(_ delivery: DeliveryStatus) -> String {
        var words: [String] = []
        switch delivery.state {
        case .delivered: words.append("delivered")
        case .open: words.append("kept for the next run")
        case .dead: words.append("given up")
        case .parked: words.append("its reporter is not configured")
        case .nothing: words.append("nothing to send")
        }
        if delivery.state == .delivered {
            if let status = delivery.status { words[0] = "\(status)" }
        } else if let error = delivery.error {
            words[0] += ": \(error.makingControlsVisible())"
        }
        if delivery.attempts > 1 { words.append("after \(delivery.attempts) tries") }
        return words.joined(separator: ", ")
    }
}
