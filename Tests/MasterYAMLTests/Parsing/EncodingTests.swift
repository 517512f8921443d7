import Testing

@testable import MasterYAML

struct EncodingTests {
    @Test func `a byte order mark is no part of the text`() {
        let output = YAMLParser.parse(bytes: [0xEF, 0xBB, 0xBF] + "a: 1".utf8, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        #expect(output.file.text == "a: 1")
        #expect(output.root?.range?.start == SourcePosition(line: 1, column: 1, offset: 0))
    }

    @Test(
        arguments: [
            ([0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 1), ([0xF5, 0x80, 0x80, 0x80], 1),
            ([0xE2, 0x82], 1),
            ([0xFF], 1), ([0x80], 1), ([0xE2, 0x82, 0xAC, 0xFE], 2),
        ] as [([UInt8], Int)]
    )
    func `bytes that are not UTF-8 are shown with their place`(bytes: [UInt8], column: Int) throws {
        let output = YAMLParser.parse(bytes: "a: 1\n".utf8 + bytes + "\nb: 2".utf8, name: "m.yaml")
        let diagnostic = try #require(output.diagnostics.first)
        #expect(output.diagnostics.count == 1)
        #expect(output.root == nil)
        #expect(diagnostic.message.contains("is not valid UTF-8"))
        #expect(diagnostic.range?.start.line == 2)
        #expect(diagnostic.range?.start.column == column)
    }

    @Test(arguments: ["é", "€", "\u{1F600}", "\u{10FFFF}", "\u{FFFD}", "\u{D7FF}", "\u{E000}"])
    func `text of every length is accepted`(text: String) {
        let output = YAMLParser.parse("a: \"\(text)\"", name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        #expect(output.root?.mapping?["a"]?.scalar?.value == text)
    }

    @Test(arguments: ["\u{1}", "\u{B}", "\u{1B}", "\u{7F}", "\u{80}", "\u{FEFF}", "\u{FFFE}", "\0"])
    func `control characters are refused wherever they stand`(character: String) {
        for text in ["a: \(character)", "# \(character)", "a: '\(character)'", "\(character)a: 1"] {
            let bytes = character == "\u{FEFF}" ? Array("x".utf8) + text.utf8 : Array(text.utf8)
            let output = YAMLParser.parse(bytes: bytes, name: "m.yaml")
            #expect(output.root == nil)
            #expect(output.diagnostics.count == 1)
        }
    }

    @Test func `the number of complaints about a binary file is bounded`() {
        let output = YAMLParser.parse(bytes: [UInt8](repeating: 1, count: 100_000), name: "m.yaml")
        #expect(output.diagnostics.count == 20)
    }
}
