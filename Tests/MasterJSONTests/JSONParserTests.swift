import MasterJSON
import Testing

struct JSONParserTests {
    @Test(
        arguments: [
            ("null", nil), (" true\n", true), ("\tfalse\r", false), ("0", 0), ("-1", -1),
            ("1.5e3", 1500), (#""""#, ""), (#""a\"\\\/\b\f\n\r\té""#, "a\"\\/\u{8}\u{C}\n\r\té"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"), (#""\u0000""#, "\0"),
            ("[]", []), ("\u{FEFF} [1]", [1]),
            ("[ ]", []), ("{}", [:]), ("{ }", [:]),
            (#"[1, [2,{"a" : null}]]"#, [1, [2, ["a": nil]]]),
            (#"{"a":1,"b":{"c":[]}}"#, ["a": 1, "b": ["c": []]]),
        ] as [(String, JSONValue)]
    )
    func `valid JSON is read`(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(arguments: [
        ("", "the JSON text is empty", 1, 1), ("\u{FEFF}", "the JSON text is empty", 1, 2),
        ("\u{FEFF}\u{FEFF}1", "expected a JSON value, found '\u{FEFF}'", 1, 2),
        ("  \n ", "the JSON text is empty", 2, 2),
        ("{} x", "'x' follows the end of the JSON value", 1, 4),
        ("nul", "expected a JSON value; texts need double quotes", 1, 1),
        ("True", "expected a JSON value, found 'T'", 1, 1),
        ("'a'", "expected a JSON value, found '''", 1, 1),
        ("é", "expected a JSON value, found 'é'", 1, 1),
        ("NaN", "expected a JSON value, found 'N'", 1, 1),
        ("[1", "expected ',' or ']', found the end of the text", 1, 3),
        ("[1 2]", "expected ',' or ']', found '2'", 1, 4),
        ("[1,]", "no comma may stand before ']'", 1, 3),
        ("[,1]", "expected a JSON value, found ','", 1, 2),
        ("{\n\"é\":1,}", "no comma may stand before '}'", 2, 6),
        ("{a:1}", "expected a key in double quotes, found 'a'", 1, 2),
        (#"{"a" 1}"#, "expected ':' after the key, found '1'", 1, 6),
        (#"{"a":}"#, "expected a JSON value, found '}'", 1, 6),
        ("01", "a number may not begin with 0", 1, 1),
        ("-", "expected a digit after '-', found the end of the text", 1, 2),
        ("1.", "expected a digit after '.', found the end of the text", 1, 3),
        ("1.e5", "expected a digit after '.', found 'e'", 1, 3),
        ("1e", "expected a digit in the exponent, found the end of the text", 1, 3),
        ("+1", "expected a JSON value, found '+'", 1, 1),
        (".5", "expected a JSON value, found '.'", 1, 1),
        ("0x1F", "'x' follows the end of the JSON value", 1, 2),
        (#"["a"#, "the text that begins here has no closing quote", 1, 2),
        (#""a\"#, "a backslash must be followed by one of \" \\ / b f n r t u", 1, 3),
        (#""\x""#, "a backslash must be followed by one of \" \\ / b f n r t u", 1, 2),
        (#""\u12""#, "\\u must be followed by four hexadecimal digits", 1, 2),
        (#""\ud83d""#, "half of a surrogate pair stands alone", 1, 2),
        (#""\ud83dx""#, "half of a surrogate pair stands alone", 1, 2),
        (#""\ude00""#, "half of a surrogate pair stands alone", 1, 2),
        (#""\ud83d\ud83d""#, "half of a surrogate pair stands alone", 1, 2),
        ("\"a\nb\"", "byte 0xa must be escaped inside a text", 1, 3),
        ("[1]\u{0}", "byte 0x0 follows the end of the JSON value", 1, 4),
        ("// c\n1", "expected a JSON value, found '/'", 1, 1),
    ])
    func `what is not JSON is refused with its place`(
        text: String, message: String, line: Int, column: Int
    ) {
        let error = #expect(throws: JSONParserError.self) { try JSONValue(parsing: text) }
        #expect(error?.message == message)
        #expect(error?.line == line)
        #expect(error?.column == column)
        #expect(error?.description == "\(message) (line \(line), column \(column))")
    }

    @Test(
        arguments: [
            [0x22, 0x61, 0xFF, 0x22], [0x22, 0x61, 0xC0, 0x80, 0x22],
            [0x22, 0x61, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0x61, 0xC3, 0x22], [0x22, 0x61, 0xF4, 0x90, 0x80, 0x80, 0x22],
        ] as [[UInt8]]
    )
    func `bytes that are not UTF-8 are refused`(bytes: [UInt8]) {
        let error = #expect(throws: JSONParserError.self) { try JSONValue(parsing: bytes) }
        #expect(error?.message == "the text is not valid UTF-8")
        #expect(error?.offset == 2)
    }

    @Test func `keys keep their order, and of a double key the last value counts`() throws {
        let value = try JSONValue(parsing: #"{"z":1,"a":2,"z":3,"m":4}"#)
        #expect(value.description == #"{"z":3,"a":2,"m":4}"#)
    }

    @Test(arguments: ["1.10", "-0", "1E5", "123456789012345678901", "999999999999999999", "0.0"])
    func `numbers keep their spelling`(spelling: String) throws {
        #expect(try JSONValue(parsing: spelling).numberValue?.spelling == spelling)
        #expect(try JSONValue(parsing: "[\(spelling)]").description == "[\(spelling)]")
    }

    @Test func `depth is bounded`() throws {
        let fits = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(try JSONValue(parsing: fits).description == fits)
        for opening in ["[", #"{"a":"#] {
            let deep = String(repeating: opening, count: 100_000)
            let error = #expect(throws: JSONParserError.self) { try JSONValue(parsing: deep) }
            #expect(error?.message == "the JSON text nests deeper than 100 levels")
        }
    }

    @Test func `size and number of values are bounded`() {
        let parser = JSONParser(maximumByteCount: 10, maximumValueCount: 3)
        let long = #expect(throws: JSONParserError.self) { try parser.parse(#""0123456789""#) }
        #expect(long?.message == "the JSON text has 12 bytes; 10 are allowed")
        let many = #expect(throws: JSONParserError.self) { try parser.parse("[1,2,3]") }
        #expect(many?.message == "the JSON text has more than 3 values")
        #expect(throws: Never.self) { try parser.parse("[1,2]") }
    }

    @Test func `random bytes are read or refused, never a trap`() {
        var random = SystemRandomNumberGenerator()
        let alphabet =
            Array(#"{}[]",:\u0d8e1-+.Eetrufalsn "#.utf8) + [0xC3, 0xA9, 0xFF, 0x00, 0x0A]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<40, using: &random)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 }
            do {
                let value = try JSONValue(parsing: bytes)
                #expect(try JSONValue(parsing: JSONWriter.compact.bytes(value)) == value)
            } catch {
                #expect(error.offset <= bytes.count)
            }
        }
    }

    @Test func `a damaged document is read or refused, never a trap`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = JSONWriter.python.bytes(.random(depth: 4, using: &random))
            guard let index = bytes.indices.randomElement(using: &random) else { continue }
            bytes[index] = .random(in: 0...255, using: &random)
            do {
                _ = try JSONValue(parsing: bytes)
            } catch {
                #expect(error.offset <= bytes.count)
            }
        }
    }
}
