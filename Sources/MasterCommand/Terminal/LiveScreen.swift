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
        let bytes = erase(lines.count - same) + changed
        lines = new
        return bytes
    }

    /// The bytes that add lasting text above the live lines.
    func insert(_ text: String) -> String {
        guard !lines.isEmpty else { return text }
        return erase(lines.count) + text + lines.map { $0 + "\n" }.joined()
    }

    /// Erases the last lines and moves to the beginning of the first of them.
    ///
    /// They are erased one by one: terminals keep a screen that is cleared from its first row on
    /// as if it had been scrolled away.
    private func erase(_ count: Int) -> String {
        String(repeating: "\u{1B}[A\r\u{1B}[2K", count: count)
    }
}
