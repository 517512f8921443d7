import MasterKit
import Testing

struct SettingLiteralTests {
    private func rendered(
        _ literal: SettingLiteral, in context: RenderContext = .sample(secrets: ["t": "hunter2!"])
    ) throws -> JSONValue {
        try Renderable<JSONValue>(computing: literal).render(in: context)
    }

    @Test func `literals are values of JSON`() throws {
        let text = "words"
        #expect(
            try rendered([
                "text": "a \(text)", "number": 7, "real": 1.5, "yes": true, "no": false,
                "nothing": nil, "list": [1, "two", [nil]], "map": ["k": [:]], "empty": [],
                "given": .string(text), "count": .int(3), "flag": .bool(true), "items": .array([1]),
                "json": SettingLiteral(["deep": [1]] as JSONValue),
            ]) == [
                "text": "a words", "number": 7, "real": 1.5, "yes": true, "no": false,
                "nothing": nil, "list": [1, "two", [nil]], "map": ["k": [:]], "empty": [],
                "given": "words", "count": 3, "flag": true, "items": [1], "json": ["deep": [1]],
            ])
    }

    @Test func `expressions stand at any depth, also as keys`() throws {
        #expect(
            try rendered([
                "branch": .property("branch"),
                "list": [
                    .secret("t"), ["deep": .interpolate("%(prop:branch)s/%(src::revision)s")],
                ],
                .property("url"): .template("#{{ build.number }}"),
            ]) == [
                "branch": "main", "list": ["hunter2!", ["deep": "main/abc"]],
                "http://h:8080/": "#12",
            ])
    }

    static let expressions: [(SettingLiteral, JSONValue)] = [
        (.property("number"), 7), (.property("gone"), nil),
        (.property("gone", default: .property("branch")), "main"),
        (.property("no", default: "D"), "D"),
        (.property("no", default: "D", defaultWhenFalse: false), false),
        (.interpolate("%s of %s", .property("number"), 8), "7 of 8"),
        (.interpolate("%(kw:a)s", ["a": .property("branch")]), "main"),
        (.interpolate("100 %%"), "100 %"), (.secret("t"), "hunter2!"),
        (.flattenList([1, .property("words")]), [1, "x", "y", "z"]),
        (.equal(.property("branch"), "main"), true), (.notEqual(.property("branch"), "x"), true),
        (.oneOf(.property("branch"), ["a", "main"]), true),
        (.matches(.property("branch"), "^m"), true), (.all([true, .not(false)]), true),
        (.any([false, .results([.failure])]), true), (.results([.success, .warnings]), false),
    ]

    @Test(arguments: expressions.indices)
    func `each expression is that of the tag`(index: Int) throws {
        let (literal, value) = Self.expressions[index]
        #expect(try rendered(literal) == value)
    }

    @Test func `mistakes are those of a file, all at once`() {
        let error = #expect(throws: ConfigurationError.self) {
            try Sample.configured([
                "url": .interpolate("http://%(porp:host)s:%(prop:port)d/"),
                "data": ["a": .template("{{ name"), "b": .matches("x", "(")],
                "verify": .property("verify"), "mdoe": "fast",
            ])
        }
        let messages = error?.diagnostics.map(\.message) ?? []
        #expect(messages.count == 6)
        #expect(messages.first == "unknown selector 'porp'; did you mean 'prop'?")
        #expect(messages.contains { $0.contains("did you mean 'mode'?") })
        #expect(messages.contains { $0.contains("takes a plain value, not !Property") })
    }

    @Test func `a key twice is an error`() {
        let error = #expect(throws: ConfigurationError.self) {
            try Sample.configured(["url": "http://h/", "url": "http://i/"])
        }
        #expect(error?.description == "steps.Sample has both 'url' and 'url'; keep one")
    }

    @Test func `a lone value fills the primary setting`() throws {
        let step = try Sample.configured(.interpolate("http://%(prop:host)s/"))
        let context = RenderContext(properties: Properties(["host": "h"], source: "test"))
        #expect(try step.url.render(in: context).text == "http://h/")
    }

    @Test func `a renderable has the type of its setting`() throws {
        let isMain = try Renderable<Bool>(computing: .equal(.property("branch"), "main"))
        #expect(try isMain.render(in: .sample()))
        #expect(try Renderable<Duration>(computing: "5m").constant == .seconds(300))
        #expect(throws: ConfigurationError.self) { try Renderable<Int>(computing: "five") }
        #expect(throws: ConfigurationError.self) {
            try Renderable<String>(computing: .property("branch"), scope: .service)
        }
    }

    @Test func `expressions are made alone`() throws {
        let context = RenderContext.sample()
        #expect(try Interpolate("%(prop:branch)s").evaluate(in: context) == "main")
        #expect(try Interpolate("%(kw:a)s", ["a": 1]).evaluate(in: context) == "1")
        #expect(try Template("{{ build.number }}").evaluate(in: context) == "12")
        #expect(try FlattenList([[1], 2]).evaluate(in: context) == [1, 2])
        #expect(try Field("build.number").evaluate(in: context) == 12)
        #expect(try Condition(.not(.equal(1, 2))).evaluate(in: context) == true)
    }

    @Test func `malformed expressions are errors, not traps`() {
        #expect(throws: ConfigurationError.self) { try Interpolate("%(") }
        #expect(throws: ConfigurationError.self) { try Interpolate("%s %s", 1) }
        #expect(throws: ConfigurationError.self) { try Template("{{") }
        #expect(throws: ConfigurationError.self) { try FlattenList([.secret("")]) }
        #expect(throws: ConfigurationError.self) { try Field("a..b") }
        let error = #expect(throws: ConfigurationError.self) { try Condition(.property("x")) }
        #expect(error?.description == "a condition is needed, such as .equal(…), not !Property")
        #expect(throws: ConfigurationError.self) { try Condition(.oneOf("a", "b")) }
    }
}
