import MasterYAML
import Testing

struct YAMLScalarResolutionTests {
    @Test(arguments: ["", "~", "null", "Null", "NULL"])
    func `null has five spellings`(text: String) {
        #expect(YAMLScalar(text).resolved == .null)
    }

    @Test(arguments: [
        ("true", true), ("True", true), ("TRUE", true),
        ("false", false), ("False", false), ("FALSE", false),
    ])
    func `booleans have three spellings each`(text: String, value: Bool) {
        #expect(YAMLScalar(text).resolved == .bool(value))
    }

    @Test(arguments: [
        ("0", 0), ("12", 12), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0x1F", 31),
        ("0xff", 255), ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
    ])
    func `integers are decimal, octal or hexadecimal`(text: String, value: Int) {
        #expect(YAMLScalar(text).resolved == .int(value))
    }

    @Test(arguments: [
        ("1.10", 1.1), ("-0.5", -0.5), (".5", 0.5), ("1.", 1), ("1e3", 1000), ("+1.5E-1", 0.15),
        (".inf", Double.infinity), ("-.Inf", -Double.infinity), ("+.INF", Double.infinity),
    ])
    func `numbers have a point or an exponent`(text: String, value: Double) {
        #expect(YAMLScalar(text).resolved == .float(value))
    }

    @Test(arguments: [
        ("9223372036854775808", 9_223_372_036_854_775_808.0),
        ("-99999999999999999999", -99_999_999_999_999_999_999.0),
        ("0x10000000000000000", 18_446_744_073_709_551_616.0),
        ("0o7777777777777777777777777", 37_778_931_862_957_161_709_568.0),
    ])
    func `an integer that is too large becomes a number`(text: String, value: Double) {
        #expect(YAMLScalar(text).resolved == .float(value))
        #expect(YAMLScalar(text).value == text)
    }

    @Test func `not a number is a number`() {
        guard case .float(let value) = YAMLScalar(".nan").resolved else {
            Issue.record("not resolved as a number")
            return
        }
        #expect(value.isNaN)
    }

    @Test(arguments: [
        "no", "yes", "on", "off", "No", "y", "n", "2026-01-31", "1_000", "0b1", "1:30", "tRUE",
        "nULL", "0o8", "0xG", "0x", "0o", "-0x1", "+", "-", ".", "e3", "1e", "1e+", "1.2.3", "1 2",
        "inf", "nan", "NaN", ".Nan", "infinity", "１", "<<", "=",
    ])
    func `everything else is text`(text: String) {
        #expect(YAMLScalar(text).resolved == .string(text))
    }

    @Test(arguments: [
        YAMLScalar.Style.singleQuoted, .doubleQuoted, .literal, .folded,
    ])
    func `what is not plain is text`(style: YAMLScalar.Style) {
        #expect(YAMLScalar("12", style: style).resolved == .string("12"))
    }

    @Test(arguments: [
        ("!!str 1", YAMLScalar.Resolved.string("1")), ("! 1", .string("1")), ("!!int '1'", .int(1)),
        ("!!float 1", .float(1)), ("!!bool \"true\"", .bool(true)), ("!!null ''", .null),
        ("!Own 1", .int(1)), ("!Own '1'", .string("1")),
    ])
    func `a core tag decides`(text: String, value: YAMLScalar.Resolved) {
        let output = YAMLParser.parse(text, name: "m.yaml")
        #expect(output.diagnostics.isEmpty)
        #expect(output.root?.resolved == value)
    }
}
