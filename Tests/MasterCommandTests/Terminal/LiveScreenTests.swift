import Testing

@testable import MasterCommand

struct LiveScreenTests {
    private let up1 = "\u{1B}[A\r\u{1B}[2K"
    private let up2 = "\u{1B}[A\r\u{1B}[2K\u{1B}[A\r\u{1B}[2K"

    /// Lines as they are written: truncated by the terminal, not wrapped.
    private func live(_ text: String) -> String { "\u{1B}[?7l\(text)\u{1B}[?7h" }

    @Test func `only lines that changed are written again`() {
        var screen = LiveScreen()
        #expect(screen.replace(with: ["a", "b"], width: 80) == live("a\nb\n"))
        #expect(screen.replace(with: ["a", "b"], width: 80) == "")
        #expect(screen.replace(with: ["a", "c"], width: 80) == up1 + live("c\n"))
        #expect(screen.replace(with: ["a", "c", "d"], width: 80) == live("d\n"))
        #expect(screen.replace(with: ["a"], width: 80) == up2)
        #expect(screen.replace(with: [], width: 80) == up1)
        #expect(screen.isEmpty)
    }

    @Test func `lasting text goes above the live lines`() {
        var screen = LiveScreen()
        #expect(screen.insert("text\n", width: 80) == "text\n")
        _ = screen.replace(with: ["a", "b"], width: 80)
        #expect(screen.insert("text\n", width: 80) == up2 + "text\n" + live("a\nb\n"))
    }

    @Test func `lines that a narrower terminal has wrapped are erased with all their rows`() {
        var screen = LiveScreen()
        _ = screen.replace(with: ["\u{1B}[1m12345678\u{1B}[0m", "日本"], width: 8)
        #expect(screen.replace(with: ["1", "2"], width: 4) == up2 + up1 + live("1\n2\n"))
        // Everything is written again, because the terminal has moved it.
        #expect(screen.replace(with: ["1", "2"], width: 9) == up2 + live("1\n2\n"))
    }

    @Test func `lines made for another width are not written again below lasting text`() {
        var screen = LiveScreen()
        _ = screen.replace(with: ["12345678", "日本"], width: 8)
        #expect(screen.insert("text\n", width: 3) == up2 + up2 + up1 + "text\n")
        #expect(screen.isEmpty)
        #expect(screen.insert("more\n", width: 3) == "more\n")
        #expect(screen.replace(with: ["123"], width: 3) == live("123\n"))
    }
}
