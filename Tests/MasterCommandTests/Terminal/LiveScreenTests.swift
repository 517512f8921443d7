import Testing

@testable import MasterCommand

struct LiveScreenTests {
    private let up1 = "\u{1B}[A\r\u{1B}[2K"
    private let up2 = "\u{1B}[A\r\u{1B}[2K\u{1B}[A\r\u{1B}[2K"

    @Test func `only lines that changed are written again`() {
        var screen = LiveScreen()
        #expect(screen.replace(with: ["a", "b"]) == "a\nb\n")
        #expect(screen.replace(with: ["a", "b"]) == "")
        #expect(screen.replace(with: ["a", "c"]) == up1 + "c\n")
        #expect(screen.replace(with: ["a", "c", "d"]) == "d\n")
        #expect(screen.replace(with: ["a"]) == up2)
        #expect(screen.replace(with: []) == up1)
        #expect(screen.isEmpty)
    }

    @Test func `lasting text goes above the live lines`() {
        var screen = LiveScreen()
        #expect(screen.insert("text\n") == "text\n")
        _ = screen.replace(with: ["a", "b"])
        #expect(screen.insert("text\n") == up2 + "text\na\nb\n")
    }
}
