import MasterPatterns
import Testing

struct RegularExpressionTests {
    @Test(arguments: [
        ("^ma", "main", true), ("ain", "main", true), ("^ain", "main", false),
        ("Main", "main", false), ("(?i)MAIN", "main", true), ("^$", "", true), ("", "x", true),
        ("a.c", "a\nc", false), ("(?s)a.c", "a\nc", true), ("^b", "a\nb", false),
        ("(?m)^b", "a\nb", true), ("a$", "a\n", true), (#"a\z"#, "a\n", false),
        (#"^\w+$"#, "größe", true), (#"^\d+$"#, "٣", true), ("^.$", "é", true),
        ("^.$", "\u{65}\u{301}", false), ("é", "\u{65}\u{301}", false), ("(?i)É", "é", true),
        (#"(?P<year>\d{4})-(?P=year)"#, "2024-2024", true), (#"(a)(b)\2\1"#, "abba", true),
        (#"v(?=\d)"#, "v1", true), (#"(?<!v)1"#, "v1", false), ("a\0b", "xa\0bx", true),
        (#"release/\d+\.\d+"#, "refs/heads/release/1.10", true),
    ])
    func `a pattern is found as Python's re.search finds it`(
        _ pattern: String, _ text: String, _ isFound: Bool
    ) throws {
        #expect(try RegularExpression(pattern).isFound(in: text) == isFound)
    }

    @Test(arguments: [
        ("(", #"missing closing parenthesis; write \( for a parenthesis"#, 1),
        ("a)", #"unmatched closing parenthesis; write \) for a parenthesis"#, 1),
        (
            "*a",
            #"quantifier does not follow a repeatable item; write \*, \+ or \? for the character itself"#,
            0
        ),
        ("[a", #"missing terminating ] for character class; write \[ for a bracket"#, 2),
        ("é[z-a]", "range out of order in character class", 5),
        (#"\C"#, #"using \C is disabled by the application"#, 2),
    ])
    func `a malformed pattern is refused with the place`(
        _ pattern: String, _ message: String, _ offset: Int
    ) {
        let error = #expect(throws: RegularExpressionError.self) {
            try RegularExpression(pattern)
        }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        #expect(error?.offset == offset)
    }

    @Test(arguments: ["[", "(", "(?:", "(?=", "a{1,2}(", "(?<x>", "\\(("])
    func `a pattern of any depth and length is refused, never a crash`(_ piece: String) {
        for count in [101, 1000, 100_000] {
            let pattern = String(repeating: piece, count: count)
            #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
        }
        let closed = String(repeating: "(", count: 101) + String(repeating: ")", count: 101)
        #expect(throws: RegularExpressionError.self) { try RegularExpression(closed) }
    }

    @Test(arguments: [
        "^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*b", "(a?){30}b{30}", "([a-z]+)*[0-9]",
        "^((a+)+)+$", "(?R)?a+$b", #"^(a+)\1*b?$c"#, "(a*)*(b*)*$c",
    ])
    func `a search that would never end is given up`(_ pattern: String) throws {
        let expression = try RegularExpression(pattern)
        for count in [40, 10_000, 1 << 20] {
            let text = String(repeating: "a", count: count) + "!"
            let time = ContinuousClock().measure {
                do {
                    #expect(try !expression.isFound(in: text))
                } catch {
                    #expect(
                        "\(error)"
                            == "the regular expression needs too many steps on this value; simplify it"
                    )
                }
            }
            #expect(time < .seconds(10), "\(count)")
        }
    }

    @Test(arguments: ["a+[bc]", "a*+[bc]", #"(a+)\1[bc]"#, "[^b]*[cd]", "(?:aa?)+[bc]", #"\w+:"#])
    func `searches that grow with the square of the text are bounded, too`(
        _ pattern: String
    ) throws {
        let text = String(repeating: "a", count: 1 << 20)
        let expression = try RegularExpression(pattern)
        let time = ContinuousClock().measure {
            _ = try? expression.isFound(in: text)
        }
        #expect(time < .seconds(10))
    }

    @Test func `a long text is searched`() throws {
        let text = String(repeating: "all is well\n", count: 80_000) + "error 17: no\n"
        #expect(try RegularExpression(#"error \d+: no"#).isFound(in: text))
        #expect(try !RegularExpression(#"error \d+: yes"#).isFound(in: text))
        #expect(try RegularExpression("(?m)^error").isFound(in: text))
    }

    @Test func `one pattern may be searched for by many tasks at once`() async throws {
        let expression = try RegularExpression(#"^(\w+)-\1$"#)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask { try expression.isFound(in: "n\(index)-n\(index)") }
            }
            for try await isFound in group { #expect(isFound) }
        }
    }
}
