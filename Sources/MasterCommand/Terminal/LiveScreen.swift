/// The last lines of a terminal, which are drawn over while what stands above them stays.
struct LiveScreen {
    private var lines: [String] = []

    /// Whether any line is drawn that will be drawn over.
    var isEmpty: Bool { lines.isEmpty }

    /// The bytes that replace the live lines by others.
    ///
    /// Only lines that changed are written again. A line must fit the width of the terminal.
    mutating func replace(with new: [String]) -> String {
        guard new != lines else { return "" }
        let same = zip(lines, new).prefix { $0 == $1 }.count
        let changed = new[same...].map { $0 + "\n" }.joined()
        let bytes = up(lines.count - same) + changed
        lines = new
        return bytes
    }

    /// The bytes that add lasting text above the live lines.
    func insert(_ text: String) -> String {
        guard !lines.isEmpty else { return text }
        return up(lines.count) + text + lines.map { $0 + "\n" }.joined()
    }

    /// Moves to the beginning of a line further up and clears the screen from there.
    private func up(_ count: Int) -> String {
        count == 0 ? "" : "\u{1B}[\(count)A\r\u{1B}[J"
    }
}
