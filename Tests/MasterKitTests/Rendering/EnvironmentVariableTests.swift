import MasterKit
import Testing

struct EnvironmentVariableTests {
    private static let environment = [
        "HOME": "/srv/ci", "EMPTY": "", "COUNT": "5", "FLAG": "true", "NUMBER": "1.10",
    ]

    private func value<Value: SettingValue>(_ yaml: String, as type: Value.Type) -> Value? {
        let reading = Reading(yaml, as: type, environment: Self.environment)
        #expect(reading.messages.isEmpty)
        return reading.value
    }

    @Test func `a variable is a text that is known at load`() {
        #expect(value("!Env HOME", as: String.self) == "/srv/ci")
        #expect(value("!Env EMPTY", as: String.self) == "")
        #expect(value("!Env NUMBER", as: JSONValue.self) == "1.10")
        #expect(value("!Env HOME", as: Renderable<String>.self)?.constant == "/srv/ci")
        #expect(
            value("{a: [!Env HOME]}", as: Renderable<JSONValue>.self)?.constant
                == ["a": ["/srv/ci"]])
    }

    @Test func `a number or boolean is read out of the text where one is wanted`() {
        #expect(value("!Env COUNT", as: Int.self) == 5)
        #expect(value("!Env COUNT", as: Int?.self) == 5)
        #expect(value("!Env NUMBER", as: Double.self) == 1.1)
        #expect(value("!Env FLAG", as: Bool.self) == true)
        #expect(value("!Env FLAG", as: Renderable<Bool>.self)?.constant == true)
        #expect(value("[!Env COUNT, 6]", as: [Int].self) == [5, 6])
        #expect(value("!Env {name: GONE, default: null}", as: Bool.self) == false)
        let fallback = value("!Env {name: GONE, default: false}", as: Renderable<Bool>.self)
        #expect(fallback?.constant == false)
        #expect(value("!Env COUNT", as: Duration.self) == .seconds(5))
    }

    @Test func `a text that is none is an error at the tag`() {
        let reading = Reading("  !Env HOME", as: Int.self, environment: Self.environment)
        #expect(reading.places == ["1:3: 'it' must be a whole number, not '/srv/ci'"])
    }

    @Test(arguments: ["!Env EMPTY", "!Env HOME"])
    func `a text that is neither true nor false is an error at load`(yaml: String) {
        let text = yaml.hasSuffix("HOME") ? "/srv/ci" : ""
        let message =
            " must be true or false, not '\(text)'; make it true or false, compare a text with "
            + "!Equal [\(yaml), text], or give it a 'default: false' where it may be unset"
        func messages(_ yaml: String) -> [String] {
            Reading(yaml, as: Renderable<Bool>.self, environment: Self.environment).messages
        }
        #expect(messages(yaml) == ["'it'" + message])
        #expect(messages("!Any [\(yaml)]") == ["a condition of !All, !Any or !Not" + message])
    }

    @Test func `a truth value is the same in conditions`() throws {
        for (yaml, holds) in [("!All [!Env FLAG]", true), ("!Not [!Env FLAG]", false)] {
            let condition = try #require(value(yaml, as: Renderable<Bool>.self))
            #expect(try condition.render(in: RenderContext()) == holds)
        }
    }

    @Test func `a missing variable is an error with its remedy, or gets its default`() {
        let missing =
            "the environment variable GONE is not set; set it, or write "
            + "!Env {name: GONE, default: …}"
        #expect(Reading("!Env GONE", as: String.self).messages == [missing])
        #expect(Reading("!Env {name: GONE}", as: String.self).messages == [missing])
        #expect(Reading("[a, !Env GONE]", as: Renderable<[String]>.self).messages == [missing])
        #expect(value("!Env {name: GONE, default: x}", as: String.self) == "x")
        #expect(value("!Env {name: GONE, default: 5}", as: Int.self) == 5)
        #expect(value("!Env {name: GONE, default: [a]}", as: [String].self) == ["a"])
        #expect(value("!Env {name: HOME, default: x}", as: String.self) == "/srv/ci")
        #expect(value("!Env {name: GONE, default: null}", as: String?.self) == .some(nil))
    }

    @Test func `a default may be computed`() throws {
        let yaml = "!Env {name: GONE, default: !Property branch}"
        #expect(try rendered(yaml) == "main")
        #expect(try rendered("[\(yaml)]") == ["main"])
        #expect(
            Reading(yaml, as: Int.self).messages == [
                "'it' is read before any build runs; it takes a plain value, not !Property"
            ])
        #expect(value("!Env {name: GONE, default: !Env HOME}", as: String.self) == "/srv/ci")
    }

    @Test(arguments: ["[HOME]", "{default: a}", "{name: HOME, other: a}", "''", "{name: [HOME]}"])
    func `other shapes are refused`(yaml: String) {
        #expect(
            Reading("!Env \(yaml)", as: String.self).messages
                == ["!Env is written !Env NAME or !Env {name: NAME, default: VALUE}"])
    }
}
