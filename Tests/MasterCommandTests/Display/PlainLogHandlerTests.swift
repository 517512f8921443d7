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

    @Test func `of several lines the first has the metadata`() {
        let lines = PlainLogHandler.lines(.info, "one\ntwo", ["reporter": "Push"], plain)
        #expect(lines == ["info: one (reporter=Push)", "  two"])
    }

    @Test func `a message without a text is a line, too`() {
        let lines = PlainLogHandler.lines(.info, "", ["service": "quiet"], plain)
        #expect(lines == ["info:  (service=quiet)"])
        #expect(PlainLogHandler.lines(.info, "", [:], plain) == ["info: "])
    }

    @Test func `further lines are indented and cannot disturb a terminal`() {
        let lines = PlainLogHandler.lines(.info, "one\ntwo\u{7}", [:], plain)
        #expect(lines == ["info: one", #"  two\u{07}"#])
    }
}

struct SaidErrorsTests {
    @Test func `a sentence is known when a message held it`() {
        let said = LoggedErrors()
        said.note("sending has stopped for Push: the disk is full")
        #expect(said.contain("the disk is full"))
        #expect(!said.contain("the disk is gone"))
    }

    @Test func `only the last messages are remembered`() {
        let said = LoggedErrors()
        said.note("the first")
        for number in 1...64 { said.note("message \(number)") }
        #expect(!said.contain("the first"))
        #expect(said.contain("message 64"))
    }
}
