import MasterKit
import Testing

@testable import MasterCommand

struct LogTailTests {
    private func tail(_ text: String, isWhole: Bool = true) -> LogTail {
        LogTail(end: Array(text.utf8), isWhole: isWhole)
    }

    @Test func `marks are taken off and tell the channel`() {
        let tail = tail("hsh -c x\nhello\r\nebad\noout\n\nnot marked\n")
        #expect(tail.lines.map(\.text) == ["sh -c x", "ello", "bad", "out", "", "not marked"])
        #expect(tail.lines.map(\.channel) == [.header, .header, .stderr, .stdout, nil, nil])
        #expect(!tail.isCut)
    }

    @Test func `of many lines the last ones are kept`() {
        let tail = tail((1...50).map { "o\($0)\n" }.joined())
        #expect(tail.lines.map(\.text) == (31...50).map(String.init))
        #expect(tail.isCut)
    }

    @Test func `the first line of a part is left out, as it may not be whole`() {
        let tail = tail("alf a line\nowhole\n", isWhole: false)
        #expect(tail.lines.map(\.text) == ["whole"])
        #expect(tail.isCut)
    }

    @Test func `an empty log has no lines`() {
        #expect(tail("").lines == [])
    }
}
