import MasterKit
import Testing

@testable import MasterCommand

struct LogTailTests {
    private func tail(_ text: String, isWhole: Bool = true) -> LogTail {
        LogTail(end: Array(text.utf8), isWhole: isWhole)
    }

    @Test func `marks are taken off and tell the channel`() {
        let tail = tail("oello\r\nebad\noout\n\nnot marked\nhexit code 1\n")
        #expect(tail.lines.map(\.text) == ["ello", "bad", "out", "", "not marked", "exit code 1"])
        #expect(tail.lines.map(\.channel) == [.stdout, .stderr, .stdout, nil, nil, .header])
    }

    @Test func `how a command was started is left out, unless it printed nothing`() {
        let start = "hsh -c x\nh in dir /tmp\nh argv: [\"sh\"]\n"
        let end = "hprogram finished with exit code 1\nhelapsedTime=0.01\n"
        #expect(
            tail(start + "oout\n" + end).lines.map(\.text) == [
                "out", "program finished with exit code 1",
            ])
        #expect(
            tail(start + end).lines.map(\.text) == [
                "sh -c x", "program finished with exit code 1",
            ])
    }

    @Test func `of many lines the last ones are kept`() {
        let tail = tail((1...50).map { "o\($0)\n" }.joined())
        #expect(tail.lines.map(\.text) == (31...50).map(String.init))
        #expect(tail.errors == [])
    }

    @Test func `errors before the last lines are kept, the first ones of many`() {
        let noise = String(repeating: "ocompiling\n", count: 40)
        let errors = (1...9).map { "omain.c:\($0): Error: no\n" }.joined()
        let tail = tail("h error: of the master\n" + noise + errors + noise)
        #expect(tail.errors.map(\.text) == (1...5).map { "main.c:\($0): Error: no" })
        #expect(tail.lines.count == LogTail.lineLimit)
    }

    @Test func `the first line of a part is left out if there are others`() {
        let lines = (1...30).map { "o\($0)\n" }.joined()
        #expect(tail("alf error:\n" + lines, isWhole: false).errors == [])
        #expect(tail("50 %\r100 %", isWhole: false).lines.map(\.text) == ["50 %\r100 %"])
    }

    @Test func `an empty log has no lines`() {
        #expect(tail("").lines == [])
    }
}
