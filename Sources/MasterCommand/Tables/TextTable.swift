internal import MasterKit
internal import MasterRuntime

/// Rows of cells in aligned columns, two spaces apart.
struct TextTable {
    /// One cell: a text with its style.
    struct Cell {
        var text: String
        var style: TextStyle?

        init(_ text: String, _ style: TextStyle? = nil) {
            self.text = text
            self.style = style
        }
    }

    private static let gap = "  "

    let paint: TextPainter
    /// The spaces before each row.
    let indentation: String
    private var rows: [[Cell]] = []
    private var widths: [Int] = []

    init(paint: TextPainter, indentation: String = "") {
        self.paint = paint
        self.indentation = indentation
    }

    /// Adds a row.
    mutating func add(_ cells: [Cell]) {
        rows.append(cells)
    }

    /// Formats and removes the rows; the last cells of rows that are too wide are truncated.
    ///
    /// Rows added later continue the table: their columns are at least as wide.
    mutating func takeLines(width: Int, ellipsis: String) -> [String] {
        for (index, cell) in rows.flatMap({ $0.enumerated() }) {
            if index == widths.count { widths.append(0) }
            widths[index] = max(widths[index], cell.text.columns)
        }
        defer { rows = [] }
        return rows.map { line($0, width: width, ellipsis: ellipsis) }
    }

    /// Formats the rows; the last cells of rows that are too wide are truncated.
    func lines(width: Int, ellipsis: String) -> [String] {
        var table = self
        return table.takeLines(width: width, ellipsis: ellipsis)
    }

    private func line(_ row: [Cell], width: Int, ellipsis: String) -> String {
        var line = indentation
        var used = indentation.columns
        let last = row.lastIndex { !$0.text.isEmpty } ?? -1
        for (index, cell) in row.enumerated() where index <= last {
            let gap = index == 0 ? "" : Self.gap
            let room = width - used - gap.count
            guard room > 0 else { break }
            let text =
                index == last
                ? cell.text.cut(to: room, ellipsis: ellipsis)
                : cell.text.fitted(to: min(widths[index], room), ellipsis: ellipsis)
            line += gap + (cell.style.map { paint($0, text) } ?? text)
            used += gap.count + text.columns
        }
        return line
    }
}

/// The deliveries of a run as a table: the reports, their receivers, and the outcome.
struct DeliveryTable {
    let paint: TextPainter
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the table with a heading, and the number of deliveries that are not listed;
    /// empty if there was nothing to deliver.
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

    /// The outcome of a delivery as text.
    static func answer(_ delivery: DeliveryStatus) -> String {
        var words: [String] = []
        switch delivery.state {
        case .delivered: words.append("delivered")
        case .open: words.append("kept for the next run")
        case .dead: return givenUp(because: delivery.error, attempts: delivery.attempts)
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

    /// Says that a delivery was given up, and why; a reason that says so itself is used alone.
    static func givenUp(because reason: String?, attempts: Int = 1) -> String {
        let tries = attempts > 1 ? ", after \(attempts) tries" : ""
        guard let reason = reason?.makingControlsVisible() else { return "given up" + tries }
        return reason.hasPrefix("given up after ") ? reason : "given up: \(reason)\(tries)"
    }
}
