import Testing

@testable import MasterWeb

struct TerminalLineTests {
    @Test(arguments: [
        ("\u{1B}[1;31mred\u{1B}[0m", "red"), ("\u{1B}(B\u{1B}[mreset", "reset"),
        ("\u{1B}]0;title\u{07}text", "text"),
        ("\u{1B}]8;;https://example.org\u{1B}\\link\u{1B}]8;;\u{1B}\\.", "link."),
        ("a\u{1B}Z", "a\u{1B}Z"), ("end\u{1B}", "end\u{1B}"), ("end\u{1B}]8;;", "end"),
        ("\u{1B}[2Kgone", "gone"), ("end\u{1B}[3", "end"),
        ("\u{1B}[\u{1B}[31mred", "red"), ("\u{1B}[1é", "é"), ("\u{1B}(é", "é"),
        ("\u{1B}]0;title\u{1B}[31mred", "red"), ("\u{1B}(\u{1B}[mreset", "reset"),
        (" 10 %\r 90 %\r100 %\r", "100 %"), ("a\r\u{1B}[32mb", "b"), ("a\r\r", "a"),
    ]) func `codes for terminals are left out`(line: String, text: String) {
        var style = TerminalStyle()
        #expect(TerminalLine(line, &style).text == text)
    }

    @Test(arguments: [
        ("\u{1B}[31ma", "text1"), ("\u{1B}[1;92ma", "bold text2"),
        ("\u{1B}[3;4ma", "italic underline"),
        ("\u{1B}[41;97ma", "back1"), ("\u{1B}[7ma", "back7"), ("\u{1B}[34;7ma", "back4"),
        ("\u{1B}[34;7;27ma", "text4"), ("\u{1B}[1;3;4;22;23;24ma", ""),
        ("\u{1B}[31;39;41;49ma", ""), ("\u{1B}[31;ma", ""), ("\u{1B}[38;5;9ma", "text1"),
        ("\u{1B}[38;5;200;1ma", "bold"), ("\u{1B}[38;2;1;2;3;4ma", "underline"),
        ("\u{1B}[48;5;2ma", "back2"), ("\u{1B}[38ma", ""), ("\u{1B}[99999999999999999999ma", ""),
        ("\u{1B}[31Ka", ""), ("\u{1B}[31m\u{1B}[99999999999999999999ma", "text1"),
        ("\u{1B}[31m\u{1B}[4:3ma", "text1"), ("\u{1B}[31m\u{1B}[>4;1ma", "text1"),
    ]) func `colors have their classes`(line: String, classes: String) {
        var style = TerminalStyle()
        _ = TerminalLine(line, &style)
        #expect(style.classes ?? "" == classes)
    }

    @Test func `a style lasts until it is ended, also across lines`() {
        var style = TerminalStyle()
        let first = TerminalLine("plain \u{1B}[31mred \u{1B}[1mbold", &style)
        #expect(first.pieces.map(\.text) == ["plain ", "red ", "bold"])
        #expect(first.pieces.map(\.style.classes) == [nil, "text1", "bold text1"])
        #expect(TerminalLine("still", &style).pieces.map(\.style.classes) == ["bold text1"])
        let last = TerminalLine("x\u{1B}[my", &style)
        #expect(last.pieces.map(\.style.classes) == ["bold text1", nil])
    }
}
