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
        ("!Any [false, 'false', 0, null, [], {}]", false), ("!All ['true', 1, [a]]", true),
        ("!Not [!Property gone]", true), ("!Not [!Equal [a, a]]", false),
        ("!Not [!Property list]", false),
        ("!Results failure", true), ("!Results 2", true), ("!Results [success, failure]", true),
        ("!Results success", false), ("!Results []", false),
        ("!All [!Not [!Any [!Property no]], !OneOf [!Property number, [6, 7]]]", true),
    ])
    func `a condition holds or not`(yaml: String, holds: Bool) throws {
        #expect(try rendered(yaml) == .bool(holds))
        let flag = try #require(Reading(yaml, as: Renderable<Bool>.self).value)
        #expect(try flag.render(in: .sample()) == holds)
    }

    @Test(arguments: [
        ("!Property x", "true", true), ("!Property x", "false", false), ("!Property x", nil, false),
        ("!Any [!Property x]", "false", false), ("!Any [!Property x]", "true", true),
        ("!Not [!Property x]", "false", true), ("!Not [!Property x]", "true", false),
        ("!All [!Property x, !Equal [a, a]]", "false", false),
        ("!All [!Property x, !Equal [a, a]]", nil, false),
        ("!All [!Property {key: x, default: false}]", "", false),
        ("!Property {key: x, default: false}", "", false),
        ("!All [!Property {key: x, default: !Property y}]", "true", true),
    ])
    func `the texts true and false are conditions`(
        yaml: String, text: String?, holds: Bool
    ) throws {
        var context = RenderContext()
        if let text { context.properties.set("x", .string(text), source: "test") }
        let condition = try #require(Reading(yaml, as: Renderable<Bool>.self).value)
        #expect(try condition.render(in: context) == holds)
    }

    @Test(
        arguments: ["yes", "", "0", "main", "1", "TRUE", "False", " true"],
        ["it", "!Any", "!All", "!Not"])
    func `another text is an error that says what to write`(text: String, place: String) throws {
        let yaml = place == "it" ? "!Property x" : "\(place) [!Property x]"
        var context = RenderContext()
        context.properties.set("x", .string(text), source: "test")
        let condition = try #require(Reading(yaml, as: Renderable<Bool>.self).value)
        let error = #expect(throws: RenderError.self) { try condition.render(in: context) }
        let subject = place == "it" ? "'it'" : "a condition of !All, !Any or !Not"
        #expect(
            error?.description
                == "line 1: \(subject) must be true or false, not '\(text)'; pass -p x:=true, compare "
                + "a text with !Equal [!Property x, text], or replace an empty one with "
                + "!Property {key: x, default: false}")
    }

    @Test func `a text that a secret is in is not shown`() throws {
        var context = RenderContext.sample(secrets: ["token": "hunter2!"])
        context.properties.set("x", "hunter2!", source: "test")
        for yaml in ["!Not [!Property x]", "!Property x"] {
            let condition = try #require(Reading(yaml, as: Renderable<Bool>.self).value)
            let error = #expect(throws: RenderError.self) { try condition.render(in: context) }
            #expect(error?.message.contains("a secret in it") == true)
            #expect(error?.message.contains("hunter2!") == false)
        }
    }

    @Test(arguments: [
        ("!Interpolate '%(prop:x)s'", "Interpolate"),
        ("!Template '{{ properties.x }}'", "Template"),
        ("!Secret x", "Secret"),
    ])
    func `a text is refused at load where a condition is wanted`(yaml: String, tag: String) {
        let remedy =
            "; compare texts with !Equal [!Property NAME, text], or name a property that is true "
            + "or false with !Property NAME"
        #expect(
            Reading(yaml, as: Renderable<Bool>.self).messages
                == ["'it' must be true or false, and !\(tag) makes a text\(remedy)"])
        for place in ["!All", "!Any", "!Not"] {
            #expect(
                Reading("\(place) [\(yaml)]", as: Renderable<Bool>.self).messages == [
                    "a condition of !All, !Any or !Not must be true or false, and !\(tag) makes a "
                        + "text\(remedy)"
                ])
        }
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
            "1:16: '(b' is not a regular expression: missing closing parenthesis; write \\( for a parenthesis"
        ),
        (
            "!Matches [a, 'a**b']",
            "1:17: 'a**b' is not a regular expression: quantifier does not follow a repeatable item; write \\*, \\+ or \\? for the "
                + "character itself"
        ),
        (
            "!Matches [a, \"re.compile('b')\"]",
            "1:14: 're.compile('b')' is Python; write a regular expression alone, such as release-.*"
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
                == "line 1: the regular expression needs too many steps on this value; simplify it")
    }

    @Test(arguments: [
        ("!Equal a", "!Equal is written !Equal [value, value]"),
        ("!Equal [a, b, c]", "!Equal is written !Equal [value, value]"),
        ("!NotEqual [a]", "!NotEqual is written !NotEqual [value, value]"),
        ("!OneOf [a]", "!OneOf is written !OneOf [value, [item, …]]"),
        ("!OneOf [a, b]", "the second part of !OneOf must be a list, not 'b'"),
        ("!Matches [a]", "!Matches is written !Matches [value, 'regular expression']"),
        (
            "!Matches [a, [b]]",
            "the regular expression of !Matches must be a plain text; it can't be computed"
        ),
        ("!Not a", "!Not is written !Not [condition]"),
        ("!All a", "!All is written !All [condition, …]"),
        ("!Any {a: b}", "!Any is written !Any [condition, …]"),
        ("!Results {a: b}", "!Results must be a list, not a mapping"),
        (
            "!All [main]",
            "a condition of !All, !Any or !Not must be true or false, not 'main'; write true or "
                + "false, or compare a text with !Equal [!Property NAME, text]"
        ),
    ])
    func `a malformed condition is found at load`(yaml: String, message: String) {
        let reading = Reading(yaml, as: Renderable<Bool>.self)
        #expect(reading.value == nil)
        #expect(reading.messages == [message])
    }
}
