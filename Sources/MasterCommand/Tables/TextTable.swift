internal import MasterKit
internal import MasterRuntime

/// Rows of cells in aligned columns, two spaces apart.
struct TextTable {
    /// One cell: a text with its style.
    struct Cell {
        var text: String
        var style: TextStyle?
        /// Whether the middle of the text is omitted rather than its end.
        var keepsEnd: Bool

        init(_ text: String, _ style: TextStyle? = nil, keepsEnd: Bool = false) {
            self.text = text
            self.style = style
            self.keepsEnd = keepsEnd
        }
    }

    private static let gap = "  "
    /// Columns are not truncated below this width for the others.
    private static let shortestColumn = 8

    let paint: TextPainter
    /// The spaces before each row.
    let indentation: String
    /// The number of columns, from the first one, that are truncated to make room for the others.
    let flexibleCount: Int
    private var rows: [[Cell]] = []
    private var widths: [Int] = []

    init(paint: TextPainter, indentation: String = "", flexibleCount: Int = 1) {
        self.paint = paint
        self.indentation = indentation
        self.flexibleCount = flexibleCount
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
        let widths = widths(in: width)
        return rows.map { line($0, widths, width: width, ellipsis: ellipsis) }
    }

    /// The widths of the columns, with the widest flexible ones reduced until a third of the width
    /// is left for the last column, or as much as it needs.
    private func widths(in width: Int) -> [Int] {
        guard let last = widths.last, widths.count > 1 else { return widths }
        var widths = widths
        let room = width - indentation.columns - (widths.count - 1) * Self.gap.count
        let fixed = min(last, max(Self.shortestColumn, width / 3))
        while widths.dropLast().reduce(fixed, +) > room {
            let flexible = widths.indices.prefix(min(flexibleCount, widths.count - 1))
            guard let widest = flexible.max(by: { widths[$0] < widths[$1] }),
                widths[widest] > Self.shortestColumn
            else { break }
            widths[widest] -= 1
        }
        return widths
    }

    /// Formats the rows; the last cells of rows that are too wide are truncated.
    func lines(width: Int, ellipsis: String) -> [String] {
        var table = self
        return table.takeLines(width: width, ellipsis: ellipsis)
    }

    private func line(
        _ row: [Cell], _ widths: [Int], width: Int, ellipsis: String
    ) -> String {
        var line = indentation
        var used = indentation.columns
        let last = row.lastIndex { !$0.text.isEmpty } ?? -1
        // The columns that a row leaves free are its first cell's, if that is too long for its own.
        let taken = widths.prefix(last + 1).reduce(indentation.columns, +) + last * Self.gap.count
        let free = last < widths.count - 1 ? max(0, width - taken) : 0
        for (index, cell) in row.enumerated() where index <= last {
            let gap = index == 0 ? "" : Self.gap
            let isFree = index == last && index >= min(flexibleCount, widths.count - 1)
            let available = width - used - gap.count
            guard available > 0 else { break }
            let own = index > 0 ? 0 : min(cell.text.columns, widths[0] + free)
            let room = min(available, isFree ? .max : max(own, widths[index]))
            let cut =
                cell.keepsEnd
                ? cell.text.cutInMiddle(to: room, ellipsis: ellipsis)
                : cell.text.cut(to: room, ellipsis: ellipsis)
            let text = index == last ? cut : cut.fitted(to: room)
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

    /// The lines of the table with a heading: the deliveries of this run, the reporters without
    /// any, what earlier runs left in one line, and how many are not listed; empty if there are
    /// neither deliveries nor reporters.
    func lines(_ summary: DeliverySummary, reporters: [String] = [], width: Int) -> [String] {
        let listed = summary.deliveries
        let own = listed.filter { !$0.isFromEarlierRun }
        let earlierCount = summary.earlierCounts.values.reduce(0, +)
        let left = max(0, summary.totalCount - earlierCount - own.count)
        var table = TextTable(paint: paint, indentation: "  ", flexibleCount: 3)
        for delivery in own { table.add(cells(delivery)) }
        var rows = table.lines(width: width, ellipsis: marks.ellipsis)
        if left == 0, summary.unreportedCount == 0 {
            let idle = reporters.filter { name in !own.contains { $0.reporter == name } }
            rows += idle.map { name in
                let line = "  \(marks(.skipped)) \(name.makingControlsVisible())  nothing to send"
                return paint(.dim, line.cut(to: width, ellipsis: marks.ellipsis))
            }
        }
        if let earlier = earlier(summary.earlierCounts) {
            rows.append("  " + earlier.cut(to: width - 2, ellipsis: marks.ellipsis))
        }
        if left > 0 { rows.append("  \(marks.ellipsis) and \(left.counting("more report"))") }
        return rows.isEmpty ? [] : [paint(.bold, "reports")] + rows
    }

    /// What became of the reports of earlier runs, or `nil` if there were none.
    private func earlier(_ counted: [DeliveryState: Int]) -> String? {
        let words: [(DeliveryState, String)] = [
            (.delivered, "delivered"), (.open, "kept for the next run"), (.dead, "given up"),
            (.parked, "without a reporter in the file"), (.nothing, "not sent"),
        ]
        let counts = words.compactMap { state, words in
            let count = counted[state] ?? 0
            return count == 0 ? nil : "\(count) \(words)"
        }
        return counts.isEmpty ? nil : "of earlier runs: " + counts.joined(separator: ", ")
    }

    private func cells(_ delivery: DeliveryStatus) -> [TextTable.Cell] {
        let (mark, style): (String, TextStyle) =
            switch delivery.state {
            case .delivered: (marks(.success), .green)
            case .dead: (marks(.failure), .red)
            case .open, .parked: (marks.pending, .yellow)
            case .nothing: (marks(.skipped), .dim)
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
