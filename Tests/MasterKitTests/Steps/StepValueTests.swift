import MasterKit
import Testing

struct StepValueTests {
    @Test(arguments: [
        ("compiling", "compiling"), ("[make, all]", "make all"), ("[]", ""), ("1.10", "1.10"),
        ("[a, 2]", "a 2"),
    ])
    func `words are a text or a list`(yaml: String, text: String) {
        #expect(Reading(yaml, as: Words.self).value?.text == text)
    }

    @Test func `words may be computed`() throws {
        let words = Reading("[on, !Property branch]", as: Renderable<Words>.self).value
        #expect(try words?.render(in: .sample()).text == "on main")
        #expect(
            Reading("{a: b}", as: Words.self).messages == ["'it' must be a text, not a mapping"])
        #expect(
            Reading("[[a]]", as: Words.self).messages == [
                "'it' must be a text, not a list"
            ])
    }

    @Test(
        arguments: [
            ("true", Results.allCases), ("false", []), ("[failure, 4]", [.failure, .exception]),
            ("[]", []),
        ] as [(String, [Results])])
    func `a policy tells results`(yaml: String, told: [Results]) {
        let policy = Reading(yaml, as: SummaryPolicy.self).value
        #expect(Results.allCases.filter { policy?.tells($0) ?? false } == told)
        #expect(policy != nil)
    }

    @Test(arguments: [
        ("yes", "'yes'"), ("failure", "'failure'"), ("{a: b}", "a mapping"), ("null", "null"),
    ])
    func `another policy is refused`(yaml: String, wording: String) {
        #expect(
            Reading(yaml, as: SummaryPolicy.self).messages
                == ["'it' must be true, false or a list of results, not \(wording)"])
    }

    @Test func `an environment has texts, lists and names to take away`() {
        let value = Reading(
            "{A: 1.10, B: true, PATH: [/a, /b], GONE: null, EMPTY: ''}",
            as: CommandEnvironment.self
        ).value
        let shown = value?.variables.map { "\($0.key)=\($0.value ?? "(none)")" }
        #expect(shown == ["A=1.10", "B=true", "PATH=/a:/b", "GONE=(none)", "EMPTY="])
    }

    @Test func `every wrong variable is told`() {
        let reading = Reading(
            "{'': a, 'b=c': d, \"e\\0f\": g, h: {i: j}, true: 1, True: 2, l: [[m]]}",
            as: CommandEnvironment.self)
        #expect(reading.value == nil)
        #expect(
            reading.messages == [
                "'' can't name an environment variable",
                "'b=c' can't name an environment variable",
                "'e\0f' can't name an environment variable",
                "'h' in 'it' must be a text, or a list of texts to join with ':', not a mapping",
                "'it' has the key 'true' twice; keep one",
                "an item of 'l' in 'it' must be a text, not a list",
            ])
    }

    @Test func `an environment may be computed in every part`() throws {
        let value = Reading(
            "{!Property branch: !Property number, P: !Property list, Q: !Property nothing}",
            as: Renderable<CommandEnvironment>.self
        ).value
        let variables = try value?.render(in: .sample()).variables
        #expect(
            variables?.map { "\($0.key)=\($0.value ?? "(none)")" }
                == ["main=7", "P=a:b", "Q=(none)"])
    }

    @Test func `a variable may be an expression with settings of its own`() throws {
        let reading = Reading(
            """
            {A: !Property {key: nothing, default: y}, \
            B: !Interpolate ["%(kw:a)s", {a: !Property branch}], \
            P: [/bin, !Property {key: nothing, default: /opt}]}
            """,
            as: Renderable<CommandEnvironment>.self)
        #expect(reading.messages == [])
        let variables = try reading.value?.render(in: .sample()).variables
        #expect(
            variables?.map { "\($0.key)=\($0.value ?? "(none)")" } == [
                "A=y", "B=main", "P=/bin:/opt",
            ])
    }
}
