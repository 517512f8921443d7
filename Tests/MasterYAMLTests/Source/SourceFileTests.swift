import Testing

@testable import MasterYAML

struct SourceFileTests {
    @Test(arguments: ["a\nbc\n\nd", "a\r\nbc\r\n\r\nd", "a\rbc\r\rd"])
    func `lines end in LF, CRLF or CR`(text: String) {
        let file = SourceFile(name: "m.yaml", text: text)
        #expect((1...file.lineCount).map { file.line($0) } == ["a", "bc", "", "d"])
        #expect(file.line(0) == nil)
        #expect(file.line(5) == nil)
    }

    @Test func `an empty text has one empty line`() {
        let file = SourceFile(name: "m.yaml", text: "")
        #expect(file.lineCount == 1)
        #expect(file.line(1) == "")
        #expect(file.position(ofUTF8Offset: 0) == SourcePosition(line: 1, column: 1, offset: 0))
    }

    @Test func `columns in long lines are counted from the beginning of the line`() {
        let line = String(repeating: "aä€", count: 700)
        let file = SourceFile(name: "m.yaml", text: "x\n\(line)\n\(line)")
        var offset = 2
        for (index, scalar) in line.unicodeScalars.enumerated() {
            let place = SourcePosition(line: 2, column: index + 1, offset: offset)
            #expect(file.position(ofUTF8Offset: offset) == place)
            offset += UTF8.width(scalar)
        }
        #expect(file.position(ofUTF8Offset: .max).column == line.unicodeScalars.count + 1)
        #expect(file.position(ofUTF8Offset: .max).line == 3)
    }

    @Test(arguments: [
        (-1, 1, 1, 0), (0, 1, 1, 0), (1, 1, 2, 1), (3, 1, 3, 3), (4, 2, 1, 4), (5, 2, 2, 5),
        (99, 2, 2, 5),
    ])
    func `offsets become lines and columns`(asked: Int, line: Int, column: Int, offset: Int) {
        let file = SourceFile(name: "m.yaml", text: "aä\nb")
        let expected = SourcePosition(line: line, column: column, offset: offset)
        #expect(file.position(ofUTF8Offset: asked) == expected)
    }

    @Test func `files are equal by name and text`() {
        let file = SourceFile(name: "a", text: "x")
        #expect(file == SourceFile(name: "a", text: "x"))
        #expect(file != SourceFile(name: "b", text: "x"))
        #expect(file != SourceFile(name: "a", text: "y"))
    }

    @Test func `a range never ends before it starts`() {
        let file = SourceFile(name: "a", text: "xyz")
        let range = SourceRange(
            start: file.position(ofUTF8Offset: 2),
            end: file.position(ofUTF8Offset: 1)
        )
        #expect(range.isEmpty)
        #expect(file.text(in: range).isEmpty)
    }
}
