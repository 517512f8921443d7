import MasterKit
import Testing

struct JSONWriterTests {
    private let sample: JSONValue = [
        "builder": "http", "n": 1, "none": nil, "uni": "é", "list": [1, 2.5, true],
    ]

    @Test func `the Python form is that of json dumps, byte for byte`() {
        let expected =
            #"{"builder": "http", "n": 1, "none": null, "uni": "\u00e9", "list": [1, 2.5, true]}"#
        #expect(JSONWriter.python.bytes(sample) == Array(expected.utf8))
    }

    @Test func `the compact form has no spaces and keeps characters`() {
        let expected = #"{"builder":"http","n":1,"none":null,"uni":"é","list":[1,2.5,true]}"#
        #expect(JSONWriter.compact.string(sample) == expected)
    }

    @Test func `the pretty form has a line an element`() {
        let value: JSONValue = ["a": [1, ["b": nil]], "empty": [], "none": [:]]
        let expected = """
            {
              "a": [
                1,
                {
                  "b": null
                }
              ],
              "empty": [],
              "none": {}
            }
            """
        #expect(JSONWriter.pretty.string(value) == expected)
    }

    @Test func `quotes, backslashes and control characters are escaped`() {
        let text = "\"\\/\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}"
        let expected = #""\"\\/\n\r\t\b\f\u0000\u001f"# + "\u{7F}\""
        #expect(JSONWriter.compact.string(.string(text)) == expected)
        #expect(JSONWriter.python.string(.string(text)) == expected)
    }

    @Test func `characters beyond the basic plane become surrogate pairs in the Python form`() {
        let text: JSONValue = ["😀é\u{FFFF}": "\u{2028}a\n"]
        #expect(JSONWriter.python.string(text) == #"{"\ud83d\ude00\u00e9\uffff": "\u2028a\n"}"#)
        #expect(JSONWriter.compact.string(text) == "{\"😀é\u{FFFF}\":\"\u{2028}a\\n\"}")
    }

    @Test(arguments: [
        (1e16, "1e+16"), (1e-7, "1e-07"), (2.0, "2.0"), (123456789.125, "123456789.125"),
        (1e15, "1000000000000000.0"), (.leastNonzeroMagnitude, "5e-324"), (-0.0, "-0.0"),
    ])
    func `floating-point values are written as Python writes them`(value: Double, text: String) {
        #expect(JSONWriter.python.string(.double(value)) == text)
    }

    @Test func `what is written is appended`() {
        var bytes = Array("x=".utf8)
        JSONWriter.compact.write([1], into: &bytes)
        #expect(bytes == Array("x=[1]".utf8))
    }

    @Test(arguments: [JSONWriter.compact, .pretty, .python])
    func `what is written reads as the same value`(writer: JSONWriter) throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let value = JSONValue.random(depth: 4, using: &random)
            #expect(try JSONValue(parsing: writer.bytes(value)) == value)
        }
    }
}

extension JSONValue {
    /// Returns a random value of any kind; strings contain all sorts of characters.
    static func random(depth: Int, using random: inout some RandomNumberGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .int(Int.random(in: .min ... .max, using: &random))
        case 3: return .double(Double(bitPattern: random.next()).finiteOrZero)
        case 4: return .string(randomText(using: &random))
        case 5:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in
                    Self.random(depth: depth - 1, using: &random)
                }
            )
        default:
            return .object(
                JSONObject(
                    (0..<Int.random(in: 0...4, using: &random)).map { _ in
                        (randomText(using: &random), Self.random(depth: depth - 1, using: &random))
                    }
                )
            )
        }
    }

    private static func randomText(using random: inout some RandomNumberGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let limit: UInt32 = Bool.random(using: &random) ? 0x80 : 0x110000
            let number = UInt32.random(in: 0..<limit, using: &random)
            text.unicodeScalars.append(Unicode.Scalar(number) ?? "\"")
        }
        return text
    }
}

extension Double {
    fileprivate var finiteOrZero: Double { isFinite ? self : 0 }
}
