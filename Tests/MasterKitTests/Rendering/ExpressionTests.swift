import MasterKit
import Testing

struct ExpressionTests {
    @Test(
        arguments: [
            ("[a, [b, [c]], []]", ["a", "b", "c"]), ("[]", []),
            ("[!Property words, d]", ["x", "y", "z", "d"]),
            ("[[!Property branch], !FlattenList [[e]]]", ["main", "e"]),
        ] as [(String, JSONValue)])
    func `nested lists become one`(yaml: String, list: JSONValue) throws {
        #expect(try rendered("!FlattenList \(yaml)") == list)
    }

    @Test func `a template gets its context`() throws {
        #expect(try rendered("!Template 'n {{ build.number }}'") == "n 12")
        let broken = Reading("a: \n!Template 'x {{ build'", as: Renderable<String>.self)
        #expect(broken.value == nil)
        let reading = Reading("!Template 'x {{ build'", as: Renderable<String>.self)
        #expect(reading.decoder.diagnostics.first?.range?.start.column == 14)
    }

    @Test(
        arguments: [
            ("build.number", 12), ("build.steps.0.name", "compile"), ("build.steps.1.name", .null),
            ("build.gone", .null), ("build.steps.count", 1), ("build.steps.last.name", "compile"),
            ("build", ["number": 12, "steps": [["name": "compile"]]]),
        ] as [(String, JSONValue)])
    func `a field of a report keeps its type`(path: String, value: JSONValue) throws {
        #expect(try rendered("!Field \(path)", scope: .report) == value)
    }

    @Test(arguments: ["", ".", "a..b", "build.", "[a]"])
    func `a field needs a path`(path: String) {
        let reading = Reading("!Field \(path)", as: Renderable<JSONValue>.self, scope: .report)
        #expect(reading.messages.count == 1)
        #expect(reading.messages.first?.hasPrefix("!Field ") == true)
    }

    @Test(arguments: [RenderScope.build, .service])
    func `a field stands in reports alone`(scope: RenderScope) {
        let reading = Reading("!Field build.number", as: Renderable<JSONValue>.self, scope: scope)
        #expect(
            reading.messages == [
                "!Field is only allowed in 'format' of a reporter; in a build use "
                    + "!Property or !Template"
            ])
    }

    @Test func `what reports ask for is noted with its place`() {
        let yaml = "[!Field build.number, !Template 'x {{ builder.name }}']"
        let report = Reading(yaml, as: Renderable<JSONValue>.self, scope: .report)
        let uses = report.decoder.templateUses.map {
            "\($0.path.joined(separator: ".")) \($0.range?.start.description ?? "-")"
        }
        #expect(uses == ["build.number 1:2", "builder.name 1:39"])
        let build = Reading("!Template '{{ a }}'", as: Renderable<String>.self)
        #expect(build.decoder.templateUses.isEmpty)
    }

    private static let tags =
        "!All, !Any, !Env, !Equal, !Field, !File, !FlattenList, !Interpolate, !Matches, !Not, !NotEqual, "
        + "!OneOf, !Property, !Results, !Secret, !Template"

    @Test(arguments: [
        ("!property x", "unknown tag !property; did you mean '!Property'?"),
        ("!Interpolat x", "unknown tag !Interpolat; did you mean '!Interpolate'?"),
        ("!Foo x", "unknown tag !Foo; there are \(tags)"),
        ("[1, !Foo x]", "unknown tag !Foo; there are \(tags)"),
    ])
    func `an unknown tag is told once, with a suggestion`(yaml: String, message: String) {
        #expect(Reading(yaml, as: Renderable<JSONValue>.self).messages == [message])
        #expect(Reading(yaml, as: JSONValue.self).messages == [message])
        #expect(Reading(yaml, as: Renderable<JSONValue>?.self).messages == [message])
    }

    @Test func `a plain setting takes no expression`() {
        #expect(
            Reading("[a, !Property b]", as: [String].self).places == [
                "1:5: 'it' is read before any build runs; it takes a plain value, not !Property"
            ])
    }
}
