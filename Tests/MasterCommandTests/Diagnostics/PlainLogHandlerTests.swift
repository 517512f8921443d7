import MasterKit
import Testing

@testable import MasterCommand

struct PlainLogHandlerTests {
    private let plain = TextPainter(hasColour: false)

    @Test func `a message is a line with its level and its metadata`() {
        let lines = PlainLogHandler.lines(
            .warning, "it broke", ["b": "2", "a": "one"], plain)
        #expect(lines == ["warning: it broke (a=one, b=2)"])
    }

    @Test func `further lines are indented and cannot disturb a terminal`() {
        let lines = PlainLogHandler.lines(.info, "one\ntwo\u{7}", [:], plain)
        #expect(lines == ["info: one", #"  two\u{07}"#])
    }
}
