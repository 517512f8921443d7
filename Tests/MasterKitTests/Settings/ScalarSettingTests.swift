import MasterKit
import Testing

struct ScalarSettingTests {
    @Test(arguments: [
        ("main", "main"), ("1.10", "1.10"), ("0x1F", "0x1F"), ("1_000", "1_000"),
        ("007", "007"), ("no", "no"), ("True", "true"), ("FALSE", "false"), ("\"True\"", "True"),
        ("!!str True", "True"), ("''", ""), ("'null'", "null"), ("2026-01-02", "2026-01-02"),
    ])
    func `a text keeps its spelling, and a boolean is true or false`(yaml: String, text: String) {
        let reading = Reading(yaml, as: String.self)
        #expect(reading.value == text)
        #expect(reading.messages.isEmpty)
    }

    @Test(arguments: [
        ("null", "null"), ("~", "null"), ("[a]", "a list"), ("{a: b}", "a mapping"),
    ])
    func `what is no text is named`(yaml: String, wording: String) {
        let reading = Reading(yaml, as: String.self)
        #expect(reading.value == nil)
        #expect(reading.messages == ["'it' must be a text, not \(wording)"])
    }

    @Test(arguments: [
        ("true", true), ("True", true), ("FALSE", false), ("false", false), ("'true'", true),
        ("\"false\"", false), ("!!str true", true),
    ])
    func `a boolean is that of YAML 1.2, or the text true or false`(yaml: String, value: Bool) {
        #expect(Reading(yaml, as: Bool.self).value == value)
    }

    @Test(arguments: [
        ("no", "false"), ("off", "false"), ("yes", "true"), ("On", "true"), ("YES", "true"),
        ("'TRUE'", "true"), ("'False'", "false"),
    ])
    func `a word that was a boolean in YAML 1.1 gets its remedy`(yaml: String, remedy: String) {
        let reading = Reading(yaml, as: Bool.self)
        let word = yaml.replacing("'", with: "")
        #expect(
            reading.messages == [
                "'it' must be true or false; '\(word)' is a text in YAML 1.2, write \(remedy)"
            ])
        #expect(reading.decoder.diagnostics.first?.fix?.replacement == remedy)
        #expect(reading.decoder.diagnostics.first?.fix?.range?.start.column == 1)
    }

    @Test(arguments: [
        ("1", "the number 1"), ("'1'", "'1'"), ("null", "null"), ("[true]", "a list"),
    ])
    func `nothing else is a boolean`(yaml: String, wording: String) {
        #expect(
            Reading(yaml, as: Bool.self).messages == ["'it' must be true or false, not \(wording)"])
    }

    @Test(arguments: [
        ("0", 0), ("-5", -5), ("+7", 7), ("0x1F", 31), ("0o17", 15),
        ("9223372036854775807", Int.max),
    ])
    func `a whole number is read`(yaml: String, value: Int) {
        #expect(Reading(yaml, as: Int.self).value == value)
    }

    @Test(arguments: [
        ("5.0", "the number 5.0"), ("1e3", "the number 1e3"), ("'5'", "'5'"),
        ("!!str 5", "'5'"), ("five", "'five'"), (".nan", "the number .nan"),
        ("9223372036854775808", "the number 9223372036854775808"),
    ])
    func `what is no whole number is named`(yaml: String, wording: String) {
        #expect(
            Reading(yaml, as: Int.self).messages == ["'it' must be a whole number, not \(wording)"])
    }

    @Test(arguments: [("1", 1.0), ("2.5", 2.5), ("-1e3", -1000), (".5", 0.5)])
    func `a number is read`(yaml: String, value: Double) {
        #expect(Reading(yaml, as: Double.self).value == value)
    }

    @Test(arguments: [".inf", "-.inf", ".nan", "1e999"])
    func `a number is finite`(yaml: String) {
        #expect(
            Reading(yaml, as: Double.self).messages
                == ["'it' must be a number, not the number \(yaml)"])
    }

    @Test func `a long value is cut in a message`() {
        let text = String(repeating: "x", count: 1_000_000)
        let messages = Reading(text, as: Int.self).messages
        #expect(messages.first?.hasSuffix("xxx...'") == true)
        #expect(messages.allSatisfy { $0.count < 100 })
    }

    @Test func `null is no value of an optional setting`() {
        #expect(Reading("null", as: Int?.self).value == .some(nil))
        #expect(Reading("5", as: Int?.self).value == 5)
        #expect(Reading("x", as: Int?.self).value == nil)
    }

    @Test(arguments: ["prop:branch", "src::revision", "kw:a", "secret:token", "worker:os"])
    func `an expression in a plain text is warned of`(expression: String) {
        let selector = expression.prefix { $0 != ":" }
        let warning =
            "warning: '%(\(selector):…)s' is sent as it is; write !Interpolate before the text to "
            + "have it rendered"
        let text = "\"a %(\(expression))s\""
        #expect(Reading(text, as: String.self).messages == [warning])
        #expect(Reading(text, as: JSONValue.self).messages == [warning])
        #expect(Reading(text, as: Renderable<String>.self).messages == [warning])
        #expect(Reading("!Interpolate \(text)", as: Renderable<JSONValue>.self).value != nil)
    }

    @Test(arguments: ["100 %", "%(branch)s", "a %% b", "%d"])
    func `other percent signs are not`(text: String) {
        #expect(Reading("'\(text)'", as: String.self).messages.isEmpty)
    }

    @Test(arguments: ["{{ name }}", "{{name}}", "{{- a.b_c.0 | upper }}", "{{ x|e }} {{ y }}"])
    func `a template in a plain text is warned of`(template: String) {
        let name = template.drop { !$0.isLetter }.prefix { $0.isLetter || "._0".contains($0) }
        let warning =
            "warning: '{{ \(name) }}' is sent as it is; write !Template before the text to have it "
            + "rendered"
        let text = "\"echo \(template)\""
        #expect(Reading(text, as: String.self).messages == [warning])
        #expect(Reading(text, as: JSONValue.self).messages == [warning])
        #expect(Reading(text, as: Renderable<String>.self).messages == [warning])
        #expect(Reading("!Interpolate \(text)", as: Renderable<String>.self).messages.isEmpty)
        #expect(Reading(text, as: String.self, scope: .report).messages.isEmpty)
    }

    @Test(arguments: ["{{.Names}}", "{{json .}}", "{{ 7 }}", "{{}}", "{{ a", "{ { a }}", "{a}}"])
    func `other braces are not`(text: String) {
        #expect(Reading("'\(text)'", as: String.self).messages.isEmpty)
    }
}
