import MasterKit
import Testing

struct ConditionTests {
    @Test(arguments: [
        ("!Equal [!Property branch, main]", true), ("!Equal [!Property branch, Main]", false),
        ("!Equal [!Property number, 7]", true), ("!Equal [!Property number, '7']", false),
        ("!Equal [!Property number, 7.0]", true), ("!Equal [!Property gone, null]", true),
        ("!Equal [!Property list, [a, b]]", true), ("!Equal [!Property list, [b, a]]", false),
        ("!Equal [!Property mapping, {k: v}]", true),
        ("!NotEqual [!Property branch, main]", false), ("!NotEqual [!Property gone, x]", true),
        ("!OneOf [!Property branch, [dev, main]]", true), ("!OneOf [x, []]", false),
        ("!OneOf [a, !Property list]", true), ("!OneOf [c, !Property list]", false),
        ("!Matches [!Property branch, '^ma']", true), ("!Matches [!Property branch, 'ain']", true),
        ("!Matches [!Property branch, '^ain']", false), ("!Matches [!Property number, '7']", true),
        ("!Matches [!Property gone, 'x']", false), ("!Matches [!Property gone, '^$']", true),
        ("!All []", true), ("!All [!Property yes, !Equal [1, 1]]", true),
        ("!All [true, !Property zero]", false),
        ("!Any []", false), ("!Any [!Property no, !Property number]", true),
        ("!Any [false, '', 0, null, [], {}]", false),
        ("!Not [!Property gone]", true), ("!Not [!Equal [a, a]]", false), ("!Not ['']", true),
        ("!Not [text]", false),
        ("!Results failure", true), ("!Results 2", true), ("!Results [success, failure]", true),
        ("!Results success", false), ("!Results []", false),
        ("!All [!Not [!Any [!Property no]], !OneOf [!Property number, [6, 7]]]", true),
    ])
    func `a condition holds or not`(yaml: String, holds: Bool) throws {
        #expect(try rendered(yaml) == .bool(holds))
        let flag = try #require(Reading(yaml, as: Renderable<Bool>.self).value)
        #expect(try flag.render(in: .sample()) == holds)
    }

    @Test(arguments: Results.allCases)
    func `the result so far is asked for`(results: Results) throws {
        var context = RenderContext()
        context.results = results
        #expect(try rendered("!Results \(results.name)", in: context) == true)
        #expect(try rendered("!Not [!Results [\(results.name)]]", in: context) == false)
    }

    @Test func `a list that is computed must be one`() throws {
        let value = try #require(
            Reading("\n!OneOf [a, !Property branch]", as: Renderable<Bool>.self).value)
        let error = #expect(throws: RenderError.self) { try value.render(in: .sample()) }
        #expect(error?.description == "line 2: the second part of !OneOf is not a list")
    }

    @Test(arguments: [
        (
            "!Matches [a, '(b']",
            "1:16: '(b' is not a regular expression: missing closing parenthesis"
        ),
        (
            "!Matches [a, 'a**b']",
            "1:17: 'a**b' is not a regular expression: quantifier does not follow a repeatable item"
        ),
    ])
    func `a malformed regular expression is told at its place`(yaml: String, message: String) {
        #expect(Reading(yaml, as: Renderable<Bool>.self).places == [message])
    }

    @Test func `a thousand brackets are a mistake, not a crash`() {
        for piece in ["[", "(", "(?:"] {
            let pattern = String(repeating: piece, count: 1000)
            let reading = Reading("!Matches [a, '\(pattern)']", as: Renderable<Bool>.self)
            #expect(reading.value == nil)
            #expect(reading.messages.count == 1)
        }
    }

    @Test func `a search that would never end is an error with its line`() throws {
        var context = RenderContext()
        context.properties.set("s", .string(String(repeating: "a", count: 40) + "!"), source: "t")
        let condition = try #require(
            Reading("!Matches [!Property s, '^(a+)+$']", as: Renderable<Bool>.self).value)
        let error = #expect(throws: RenderError.self) { try condition.render(in: context) }
        #expect(
            error?.description
                == "line 1: the regular expression needs too many steps on this value")
    }

    @Test(arguments: [
        ("!Equal a", "!Equal is written !Equal [value, value]"),
        ("!Equal [a, b, c]", "!Equal is written !Equal [value, value]"),
        ("!NotEqual [a]", "!NotEqual is written !NotEqual [value, value]"),
        ("!OneOf [a]", "!OneOf is written !OneOf [value, [item, …]]"),
        ("!OneOf [a, b]", "the second part of !OneOf must be a list, not 'b'"),
        ("!Matches [a]", "!Matches is written !Matches [value, 'regular expression']"),
        ("!Matches [a, [b]]", "the regular expression of !Matches is a plain text"),
        ("!Not a", "!Not is written !Not [condition]"),
        ("!All a", "!All is written !All [condition, …]"),
        ("!Any {a: b}", "!Any is written !Any [condition, …]"),
        ("!Results {a: b}", "!Results must be a list, not a mapping"),
    ])
    func `a malformed condition is found at load`(yaml: String, message: String) {
        let reading = Reading(yaml, as: Renderable<Bool>.self)
        #expect(reading.value == nil)
        #expect(reading.messages == [message])
    }
}
