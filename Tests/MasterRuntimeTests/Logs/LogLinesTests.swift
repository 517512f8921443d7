import MasterKit
import Testing

@testable import MasterRuntime

/// Splitting output into lines.
struct LogLinesTests {
    private typealias Piece = (text: String, channel: LogChannel)

    private func lines(_ pieces: [Piece]) -> (text: String, count: Int) {
        var lines = LogLines()
        var bytes: [UInt8] = []
        for piece in pieces {
            lines.add(Array(piece.text.utf8)[...], of: piece.channel, to: &bytes)
        }
        lines.finish(&bytes)
        return (String(decoding: bytes, as: UTF8.self), lines.lineCount)
    }

    @Test func `each line is marked with its channel`() {
        let (text, count) = lines([
            ("one\ntwo\n", .stdout), ("three\n", .stderr), ("four\n", .header), ("", .stdout),
        ])
        #expect(text == "oone\notwo\nethree\nhfour\n")
        #expect(count == 4)
    }

    @Test func `a line that comes in pieces is whole, also when another channel comes between`() {
        let (text, count) = lines([
            ("out", .stdout), ("err", .stderr), ("put\nnext", .stdout), ("or\n", .stderr),
        ])
        #expect(text == "ooutput\neerror\nonext\n")
        #expect(count == 3)
    }

    @Test func `a header ends the lines of output before it`() {
        let (text, count) = lines([
            ("out", .stdout), ("err", .stderr), ("", .header), ("or", .stderr),
            ("the end\n", .header),
        ])
        #expect(text == "oout\neerror\nhthe end\n")
        #expect(count == 3)
    }

    @Test func `a line longer than the limit is cut, and its end is kept`() {
        var lines = LogLines(limit: 20)
        var bytes: [UInt8] = []
        let line = String(repeating: "é", count: 12) + String(repeating: "x", count: 50) + "end"
        lines.add(Array("\(line)\n".utf8)[...], of: .stdout, to: &bytes)
        lines.add(Array("done\n".utf8)[...], of: .header, to: &bytes)
        lines.finish(&bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                oééééééééé
                hlog truncated after 20 bytes: raise max_log_size
                h61 bytes dropped; the end of the log follows
                hdone

                """)
    }

    @Test func `the end of a line longer than the end of a log is kept`() {
        var lines = LogLines(limit: 20)
        var bytes: [UInt8] = []
        lines.add(Array("first line of output\n".utf8)[...], of: .stderr, to: &bytes)
        lines.add(Array(repeating: UInt8(ascii: "x"), count: 100)[...], of: .stdout, to: &bytes)
        lines.add(Array("end".utf8)[...], of: .stdout, to: &bytes)
        lines.finish(&bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                efirst line of outp
                hlog truncated after 20 bytes: raise max_log_size
                h89 bytes dropped; the end of the log follows
                oxxxxxxxxxxxxxxxend

                """)
    }

    @Test func `empty lines stay, and nothing has no line`() {
        #expect(lines([("\n\na\n", .stdout)]).text == "o\no\noa\n")
        #expect(lines([]).text.isEmpty)
        #expect(lines([("", .stderr)]).count == 0)
    }

    @Test(arguments: Array(1...24))
    func `a very long line is broken at the same place however it comes`(_ pieceCount: Int) {
        var lines = LogLines(longestLine: 8)
        var bytes: [UInt8] = []
        var rest = Array("12345678\n12345678123456781\n\n1234567812345678\nend".utf8)[...]
        while !rest.isEmpty {
            lines.add(rest.prefix(pieceCount), of: .stdout, to: &bytes)
            rest = rest.dropFirst(pieceCount)
        }
        lines.finish(&bytes)
        let line = "o12345678\n"
        let text = line + line + line + "o1\no\n" + line + line + "oend\n"
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        #expect(lines.lineCount == 8)
    }
}
