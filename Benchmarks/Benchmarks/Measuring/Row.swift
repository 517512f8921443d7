/// A row of the table: a measurement, its reference and the bar it must meet.
struct Row: Sendable {
    /// The requirement on a figure.
    enum Bar: Sendable {
        case atMost(Double)
        case atLeast(Double)
        /// The difference to the reference.
        case overReference(atMost: Double)
        /// The ratio to the reference.
        case timesReference(atMost: Double)
        case timesReferenceAtLeast(Double)
    }

    let what: String
    let reference: Figure?
    let ours: Figure
    let bar: Bar

    init(_ what: String, reference: Figure? = nil, ours: Figure, _ bar: Bar) {
        self.what = what
        self.reference = reference
        self.ours = ours
        self.bar = bar
    }

    /// The number that the bar applies to.
    private var compared: Double {
        let base = reference?.value ?? 0
        return switch bar {
        case .atMost, .atLeast: ours.value
        case .overReference: ours.value - base
        case .timesReference, .timesReferenceAtLeast: ours.value / base
        }
    }

    /// Whether the figure meets the bar.
    var isMet: Bool {
        switch bar {
        case .atMost(let limit), .overReference(let limit), .timesReference(let limit):
            compared <= limit
        case .atLeast(let limit), .timesReferenceAtLeast(let limit): compared >= limit
        }
    }

    /// The cells of the row.
    var cells: [String] {
        [
            what, reference.map { "\($0)" } ?? "", "\(ours)", comparison, limit,
            isMet ? "met" : "MISSED",
        ]
    }

    private var comparison: String {
        switch bar {
        case .atMost, .atLeast: ""
        case .overReference: "+ \(Figure(value: compared, unit: ours.unit))"
        case .timesReference, .timesReferenceAtLeast: "\(Decimals.text(compared, 2)) ×"
        }
    }

    private var limit: String {
        switch bar {
        case .atMost(let limit): "≤ \(Figure(value: limit, unit: ours.unit))"
        case .atLeast(let limit): "≥ \(Figure(value: limit, unit: ours.unit))"
        case .overReference(let limit): "≤ + \(Figure(value: limit, unit: ours.unit))"
        case .timesReference(let limit): "≤ \(Decimals.text(limit, 2)) ×"
        case .timesReferenceAtLeast(let limit): "≥ \(Decimals.text(limit, 2)) ×"
        }
    }
}

/// The rendered table.
struct Table: CustomStringConvertible {
    private static let head = ["", "reference", "ours", "compared", "bar", ""]

    let description: String

    init(_ rows: [Row]) {
        let lines = [Self.head] + rows.map(\.cells)
        let widths = Self.head.indices.map { column in
            lines.map { $0[column].count }.max() ?? 0
        }
        description = lines.map { cells in
            zip(cells, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
