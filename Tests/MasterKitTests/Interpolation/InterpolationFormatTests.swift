import MasterKit
import Testing

struct InterpolationFormatTests {
    /// The values of the truth table, by column.
    private static let values: JSONObject = [
        "null": nil, "empty": "", "zero": 0, "false": false, "list": [], "map": [:],
        "text": "text", "one": 1, "true": true, "full": [1, "a", true, nil], "spelled": 0.5,
        "pair": ["k": "v"],
    ]

    private func render(_ text: String) throws -> String {
        let values = Self.values
        return try InterpolationFormat(parsing: text).render { reference in
            guard case .property(let name) = reference else { return nil }
            return values[name]
        }
    }

    @Test(arguments: [
        // none
        ("%(prop:missing)s", ""), ("%(prop:null)s", ""), ("%(prop:empty)s", ""),
        ("%(prop:zero)s", "0"), ("%(prop:false)s", "false"), ("%(prop:list)s", "[]"),
        ("%(prop:map)s", "{}"), ("%(prop:text)s", "text"), ("%(prop:one)s", "1"),
        ("%(prop:true)s", "true"), ("%(prop:full)s", #"[1,"a",true,null]"#),
        ("%(prop:pair)s", #"{"k":"v"}"#), ("%(prop:spelled)s", "0.5"),
        // :-
        ("%(prop:missing:-D)s", "D"), ("%(prop:null:-D)s", ""), ("%(prop:empty:-D)s", ""),
        ("%(prop:zero:-D)s", "0"), ("%(prop:false:-D)s", "false"), ("%(prop:list:-D)s", "[]"),
        ("%(prop:text:-D)s", "text"), ("%(prop:missing:-)s", ""),
        // :~
        ("%(prop:missing:~D)s", "D"), ("%(prop:null:~D)s", "D"), ("%(prop:empty:~D)s", "D"),
        ("%(prop:zero:~D)s", "D"), ("%(prop:false:~D)s", "D"), ("%(prop:list:~D)s", "D"),
        ("%(prop:map:~D)s", "D"), ("%(prop:text:~D)s", "text"), ("%(prop:one:~D)s", "1"),
        ("%(prop:missing:~)s", ""),
        // :+
        ("%(prop:missing:+D)s", ""), ("%(prop:null:+D)s", "D"), ("%(prop:empty:+D)s", "D"),
        ("%(prop:zero:+D)s", "D"), ("%(prop:false:+D)s", "D"), ("%(prop:list:+D)s", "D"),
        ("%(prop:text:+D)s", "D"), ("%(prop:text:+)s", ""),
        // :?
        ("%(prop:missing:?|T|F)s", "F"), ("%(prop:null:?|T|F)s", "T"),
        ("%(prop:empty:?|T|F)s", "T"), ("%(prop:zero:?|T|F)s", "T"),
        ("%(prop:false:?|T|F)s", "T"), ("%(prop:list:?|T|F)s", "T"), ("%(prop:text:?|T|F)s", "T"),
        ("%(prop:text:?||F)s", ""), ("%(prop:missing:?|T|)s", ""),
        // :#?
        ("%(prop:missing:#?|T|F)s", "F"), ("%(prop:null:#?|T|F)s", "F"),
        ("%(prop:empty:#?|T|F)s", "F"), ("%(prop:zero:#?|T|F)s", "F"),
        ("%(prop:false:#?|T|F)s", "F"), ("%(prop:list:#?|T|F)s", "F"),
        ("%(prop:map:#?|T|F)s", "F"), ("%(prop:text:#?|T|F)s", "T"), ("%(prop:one:#?|T|F)s", "T"),
        ("%(prop:true:#?|T|F)s", "T"), ("%(prop:full:#?|T|F)s", "T"),
    ])
    func `the truth table holds`(format: String, text: String) throws {
        #expect(try render(format) == text)
    }

    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("100%%", "100%"), ("%%s", "%s"), ("%%%%", "%%"),
        ("%%(prop:text)s", "%(prop:text)s"), ("a%(prop:text)sb%(prop:one)sc", "atextb1c"),
        ("%(prop:text)sfoo", "textfoo"), ("é%(prop:text)s😀", "étext😀"),
        ("%(prop:missing:-b:c)s", "b:c"), ("%(prop:missing:-a(b)c)s", "a(b)c"),
        ("%(prop:missing:-50%%)s", "50%"), ("%(prop:missing:?|a|b|c)s", "b|c"),
        ("%(prop:text:?|a|b|c)s", "a"), ("%(prop:text:?:a:b)s", "a"), ("%(prop:text:?éaéb)s", "a"),
        ("%(prop:missing:?%a%b)s", "b"), ("%(prop:missing:-%(prop:null:~%(prop:text)s)s)s", "text"),
        ("%(prop:text:?|%(prop:one)s|%(prop:zero)s)s", "1"),
        ("%(prop:missing:?:%(prop:one:-x)s:%(prop:zero:-x)s)s", "0"),
        ("%(prop:true:+[%(prop:text)s])s", "[text]"), ("%(prop:a.b-c_9:-x)s", "x"),
        ("%(prop:größe:-x)s", "x"), ("%(src::branch)s", ""), ("%(src:code:branch:-main)s", "main"),
        ("(%(prop:text)s)", "(text)"), ("%(prop:missing:~-)s", "-"),
        ("line\n%(prop:text)s\n", "line\ntext\n"),
    ])
    func `formats render`(format: String, text: String) throws {
        #expect(try render(format) == text)
    }

    @Test func `every selector asks for its own kind of value`() throws {
        let format = try InterpolationFormat(
            parsing: "%(prop:a)s %(src:lib:rev)s %(src::rev)s %(kw:b)s %(secret:c)s %(worker:d)s")
        var asked: [InterpolationReference] = []
        let text = try format.render { reference in
            asked.append(reference)
            return .int(asked.count)
        }
        let expected: [InterpolationReference] = [
            .property("a"), .source(codebase: "lib", attribute: "rev"),
            .source(codebase: "", attribute: "rev"), .keyword("b"), .secret("c"), .worker("d"),
        ]
        #expect(asked == expected)
        #expect(text == "1 2 3 4 5 6")
        #expect(format.references.map(\.reference) == expected)
    }

    @Test func `a value is never parsed again`() throws {
        let format = try InterpolationFormat(parsing: "%(prop:a)s")
        #expect(try format.render { _ in "%(prop:b)s %% %" } == "%(prop:b)s %% %")
    }

    @Test func `an alternative that is not taken is not looked up`() throws {
        let format = try InterpolationFormat(parsing: "%(prop:a:-%(secret:b)s)s")
        let text = try format.render { reference in
            #expect(reference == .property("a"))
            return "there"
        }
        #expect(text == "there")
        #expect(format.references.map(\.reference).contains(.secret("b")))
    }

    @Test func `references say where their names stand, in bytes`() throws {
        let text = "é %(prop:größe:-%(secret:t)s)s %(src:lib:rev)s"
        let format = try InterpolationFormat(parsing: text)
        let bytes = Array(text.utf8)
        let names = format.references.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        #expect(names == ["größe", "t", "lib:rev"])
    }

    @Test func `arguments fill their places`() throws {
        let format = try InterpolationFormat(parsing: "%s-%s: 100%%, %s", positionalCount: 3)
        let values: [JSONValue] = ["a", nil, [true]]
        let text = try format.render { reference in
            guard case .positional(let index) = reference else { return nil }
            return values[index]
        }
        #expect(text == "a-null: 100%, [true]")
        #expect(format.references.map(\.range) == [0..<2, 3..<5, 14..<16])
    }

    @Test(arguments: [
        ("%(kw:s:-D)s", "D"), ("%(kw:s:-)s", ""), ("%(kw:s:~D)s", "D"), ("%(kw:s:+D)s", ""),
        ("%(kw:s:?|T|F)s", "F"), ("%(kw:s:#?|T|F)s", "F"),
    ])
    func `with a modifier a missing keyword is a missing value`(
        format: String, text: String
    ) throws {
        #expect(try InterpolationFormat(parsing: format).render { _ in nil } == text)
    }

    @Test(arguments: ["%(secret:s)s", "%(kw:s)s", "%(kw:a:-%(kw:s)s)s"])
    func `a secret or keyword that is missing is an error`(text: String) throws {
        let format = try InterpolationFormat(parsing: text)
        let error = #expect(throws: InterpolationMissingValue.self) {
            try format.render { _ in nil }
        }
        #expect(error?.description.contains("'s' is missing") == true)
    }

    @Test func `what the lookup throws arrives`() throws {
        struct Refused: Error {}
        let format = try InterpolationFormat(parsing: "%(prop:a)s")
        #expect(throws: Refused.self) { try format.render { _ in throw Refused() } }
    }

    @Test func `a format without expressions refers to nothing`() throws {
        #expect(try InterpolationFormat(parsing: "a 100%%").references.isEmpty)
        #expect(try !InterpolationFormat(parsing: "%(prop:a)s").references.isEmpty)
    }

    @Test func `a text does not grow without bound`() throws {
        let format = try InterpolationFormat(
            parsing: String(repeating: "%(prop:a)s", count: 64))
        let value = JSONValue.string(String(repeating: "x", count: 1 << 20))
        #expect(throws: RenderError.self) { try format.render { _ in value } }
    }
}
