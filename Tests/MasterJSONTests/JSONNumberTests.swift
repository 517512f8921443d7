import MasterJSON
import Testing

struct JSONNumberTests {
    @Test(arguments: [
        ("1", "1"), ("1.10", "1.10"), ("-0", "-0"), ("0", "0"), ("1e5", "1e5"), ("1E+05", "1E+05"),
        ("-12.50e-3", "-12.50e-3"), ("+1", "1"), ("+1.50", "1.50"), (".5", "0.5"),
        ("-.5", "-0.5"), ("5.", "5.0"), ("5.e3", "5.0e3"), ("007", "7"), ("-007.10", "-7.10"),
        ("00", "0"), ("0x1F", "31"), ("0xff", "255"), ("0o17", "15"), ("0x0", "0"), ("0x00", "0"),
        ("0xFFFFFFFFFFFFFFFFFFFF", "1208925819614629174706175"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775808", "9223372036854775808"),
        ("1e999999999999999999999999", "1e999999999999999999999999"),
    ])
    func `a number keeps its spelling in text and is valid JSON when written`(
        spelling: String, json: String
    ) throws {
        let number = try #require(JSONNumber(spelling: spelling))
        #expect(number.spelling == spelling)
        #expect(number.jsonSpelling == json)
        #expect(JSONWriter.compact.string(.number(number)) == json)
        #expect(try JSONValue(parsing: json).numberValue == number)
    }

    @Test(arguments: [".inf", "-.inf", "+.INF", ".Inf", ".nan", ".NaN", ".NAN"])
    func `what JSON cannot spell becomes null`(spelling: String) throws {
        let number = try #require(JSONNumber(spelling: spelling))
        #expect(number.spelling == spelling)
        #expect(number.jsonSpelling == nil)
        #expect(!number.isFinite)
        #expect(!number.doubleValue.isFinite)
        #expect(number.intValue == nil)
        #expect(JSONWriter.compact.string(.number(number)) == "null")
    }

    @Test(arguments: [
        "", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "0x", "0xG", "0o8", "0o", "-0x1", "1_000",
        " 1", "1 ", "1a", "--1", "+-1", "-.nan", ".infx", "inf", "nan", "0b1", "٣", "1٣", "é", "\0",
    ])
    func `what is no number is refused`(spelling: String) {
        #expect(JSONNumber(spelling: spelling) == nil)
    }

    @Test(arguments: [
        ("1", "1.0"), ("1", "1e0"), ("100", "1e2"), ("100", "1.00E+2"), ("1.1", "1.10"),
        ("0", "-0"), ("0", "0.000e99"), ("31", "0x1F"), ("-1.5", "-15e-1"), (".5", "0.50"),
        (".inf", "+.INF"), (".nan", ".NaN"), ("0.001", "1e-3"),
        ("1000000000000000000000", "1e21"),
    ])
    func `numbers are equal by value, and hash alike`(left: String, right: String) throws {
        let a = try #require(JSONNumber(spelling: left))
        let b = try #require(JSONNumber(spelling: right))
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
    }

    @Test(arguments: [
        ("1", "2"), ("1", "-1"), ("1", "10"), ("0.1", "0.01"), (".inf", "-.inf"), (".inf", ".nan"),
        ("100000000000000000000001", "100000000000000000000002"), (".inf", "1e999"),
        ("9007199254740993", "9007199254740992.0"),
    ])
    func `numbers of different value are not equal`(left: String, right: String) {
        #expect(JSONNumber(spelling: left) != JSONNumber(spelling: right))
    }

    @Test(
        arguments: [
            ("5", 5), ("5.0", 5), ("5e0", 5), ("50e-1", 5), ("0x1F", 31), ("+7", 7), ("-0", 0),
            ("-9223372036854775808", Int.min), ("9223372036854775807", Int.max),
            ("9223372036854775808", nil), ("5.5", nil), ("1e19", nil), ("1e400", nil), ("0.5", nil),
            ("-1e-400", nil),
        ] as [(String, Int?)]
    )
    func `a whole number that fits is an integer`(spelling: String, value: Int?) throws {
        #expect(try #require(JSONNumber(spelling: spelling)).intValue == value)
    }

    @Test func `floating-point values are spelled as short as possible`() {
        #expect(JSONNumber(2.5).spelling == "2.5")
        #expect(JSONNumber(0.1).spelling == "0.1")
        #expect(JSONNumber(2.0).jsonSpelling == "2.0")
        #expect(JSONNumber(1e300 * 1e10).jsonSpelling == nil)
        #expect(JSONNumber(-Double.infinity).spelling == "-.inf")
        #expect(JSONNumber.nan.spelling == ".nan")
        #expect(JSONNumber(1e300).intValue == nil)
        #expect(JSONNumber(spelling: "1e999")?.doubleValue == .infinity)
        #expect(JSONNumber(spelling: "0x1F")?.doubleValue == 31)
        #expect(JSONNumber(spelling: "-.inf")?.doubleValue == -.infinity)
        #expect(JSONNumber(0.1) == JSONNumber(spelling: "0.10"))
    }

    @Test func `integers of any width keep their digits`() {
        #expect(JSONNumber(UInt64.max).spelling == "18446744073709551615")
        #expect(JSONNumber(Int8(-3)).intValue == -3)
        #expect(JSONNumber(Int.min).spelling == "-9223372036854775808")
    }

    @Test func `a number of a million digits takes no time`() throws {
        let digits = String(repeating: "7", count: 1_000_000)
        let number = try #require(JSONNumber(spelling: digits))
        #expect(number.spelling.utf8.count == 1_000_000)
        #expect(number.intValue == nil)
        #expect(number == JSONNumber(spelling: digits + ".0"))
        #expect(JSONNumber(spelling: "0x" + digits) == nil)
    }
}
