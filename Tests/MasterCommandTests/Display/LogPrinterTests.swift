import Testing

@testable import MasterCommand

/// The lines of a log as `log` shows them.
struct LogPrinterTests {
    private func lines(_ text: String, isTerminal: Bool = true) -> [String] {
        let traits = TerminalTraits(
            isTerminal: isTerminal, environment: ["TERM": "xterm", "LANG": "C.UTF-8"])
        var printer = LogPrinter(traits)
        return printer.lines(Array(text.utf8))
    }

    @Test func `letters are taken off, and the master's own lines are dim`() {
        #expect(
            lines("oout\neerr\nhhead\nohead\n") == ["out", "err", "\u{1B}[2mhead\u{1B}[0m", "head"])
    }

    @Test func `colours are kept on a terminal, also over several lines`() {
        #expect(
            lines("o\u{1B}[1;31mred\no still\u{1B}[m plain\noafter\n") == [
                "\u{1B}[1;31mred\u{1B}[0m", "\u{1B}[1;31m still\u{1B}[0m plain", "after",
            ])
    }

    @Test(arguments: [
        ("a\u{1B}[2Jb", "ab"), ("a\u{1B}]0;title\u{07}b", "ab"),
        ("a\u{1B}]8;;http://h/\u{1B}\\link", "alink"), ("a\u{1B}cb", "ab"), ("a\u{1B}", "a"),
        ("a\u{1B}[31", "a"), ("ab\u{08}c\u{00}", "ac"), ("tab\tkept", "tab\tkept"),
        ("10 %\r50 %\r100 %", "100 %"), ("done\r\r", "done"), ("long line\rlo\u{1B}[K", "lo"),
        ("日本\rab", "ab本"), ("12345\u{1B}[2G_", "1_345"), ("a\rb\tc", "b       c"),
        ("\u{9B}x", "\\u{009B}x"),
    ])
    func `nothing else reaches the terminal`(text: String, shown: String) {
        #expect(lines("o\(text)\n") == [shown])
    }

    @Test func `a pipe gets the text alone`() {
        let text = "o\u{1B}[31mred\u{1B}[0m\tx\ra\nhhead\n"
        #expect(lines(text, isTerminal: false) == ["red\tx\ra", "head"])
    }

    @Test func `displays of a run keep colours within a line, and only on a terminal`() {
        let line = LogLine(marked: Array("o\u{1B}[31mred\u{1B}[2J\u{07}".utf8))
        #expect(line.shown(TextPainter(hasColour: true)) == "\u{1B}[31mred\u{1B}[0m")
        #expect(line.shown(TextPainter(hasColour: false)) == "red")
    }

    @Test func `moving the cursor makes no endless line`() {
        let moves = ["C", "G"].map { "\u{1B}[1048576\($0)" }
        for move in moves + [moves.joined(), String(repeating: moves[0], count: 99)] {
            let shown = TerminalText.shown("a\(move)z")
            #expect(shown.hasPrefix("a  ") && shown.hasSuffix("  z"))
            #expect(shown.count == 1001)
        }
        // What is written may be longer, and its end can be reached.
        let long = String(repeating: "x", count: 2000)
        #expect(TerminalText.shown("\(long)\r\u{1B}[1500Cy\u{1B}[9999Cz").count == 2001)
    }
}
