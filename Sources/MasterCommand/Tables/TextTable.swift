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

    /// Gives colours.
    let paint: TextPainter
    /// The spaces in front of each row.
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

    /// Takes the rows out as lines; where they are too wide, their last cells are cut.
    ///
    /// Rows that are added afterwards continue the table: their columns are at least as wide.
    mutating func takeLines(width: Int, ellipsis: String) -> [String] {
        for (index, cell) in rows.flatMap({ $0.enumerated() }) {
            if index == widths.count { widths.append(0) }
            widths[index] = max(widths[index], cell.text.columns)
        }
        defer { rows = [] }
        return rows.map { line($0, width: width, ellipsis: ellipsis) }
    }

    /// The rows as lines; where they are too wide, their last cells are cut.
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
