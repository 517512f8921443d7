import MasterKit
import Testing

struct InterpolationErrorsTests {
    private func errors(in text: String, positionalCount: Int? = nil) -> [InterpolationError] {
        do {
            _ = try InterpolationFormat(parsing: text, positionalCount: positionalCount)
            return []
        } catch {
            return error.errors
        }
    }

    private static let selectors = "known are prop, src, kw, secret, worker"
    private static let modifiers =
        "known are :-default, :~default, :+replacement, :?|then|else, :#?|then|else and :urlencode"

    @Test(arguments: [
        ("100%", 3..<4, "a lone '%' is not allowed; write %% for a percent sign"),
        ("50% off", 2..<3, "a lone '%' is not allowed; write %% for a percent sign"),
        ("%d", 0..<1, "a lone '%' is not allowed; write %% for a percent sign"),
        (
            "%s", 0..<2,
            "%s has no argument; give arguments with the format, name the value as in "
                + "%(prop:name)s, or write %%s for the text itself"
        ),
        ("%(prop:x)", 0..<9, "'%(prop:x)' lacks its final 's': write %(prop:x)s"),
        ("%(prop:x) y", 0..<9, "'%(prop:x)' lacks its final 's': write %(prop:x)s"),
        ("%(prop:x)d", 0..<10, "'%(prop:x)d' must end in 's': write %(prop:x)s"),
        (
            "a %(prop:x", 2..<10,
            "the parenthesis of '%(prop:x' is never closed; an expression is written "
                + "%(prop:name)s"
        ),
        (
            "%(prop:x:-(a)s", 0..<14,
            "the parenthesis of '%(prop:x:-(a)s' is never closed; an expression is written "
                + "%(prop:name)s"
        ),
        ("%(branch)s", 2..<8, "'%(branch)s' has no selector; for a property write %(prop:branch)s"),
        ("%()s", 2..<2, "'%()s' has no selector; for a property write %(prop:name)s"),
        ("%(property:x)s", 2..<10, "unknown selector 'property'; did you mean 'prop'?"),
        ("%(porp:x)s", 2..<6, "unknown selector 'porp'; did you mean 'prop'?"),
        ("%(Prop:x)s", 2..<6, "unknown selector 'Prop'; did you mean 'prop'?"),
        ("%(secrets:x)s", 2..<9, "unknown selector 'secrets'; did you mean 'secret'?"),
        ("%(zzz:x)s", 2..<5, "unknown selector 'zzz'; \(selectors)"),
        ("%(:x)s", 2..<2, "unknown selector ''; \(selectors)"),
        ("%(prop:)s", 2..<7, "'%(prop:)s' names no property; write %(prop:name)s"),
        ("%(kw:)s", 2..<5, "'%(kw:)s' names no keyword; write %(kw:name)s"),
        (
            "%(prop:a b)s", 7..<10,
            "'a b' is not a valid property name; names have letters, digits, '_', '.' and '-' only"
        ),
        (
            "%(kw:a/b)s", 5..<8,
            "'a/b' is not a valid keyword name; names have letters, digits, '_', '.' and '-' only"
        ),
        (
            "%(prop:%(prop:x)s)s", 7..<13,
            "'%(prop' is not a valid property name; a name cannot be computed"
        ),
        (
            "%(src:a b:c)s", 6..<9,
            "'a b' is not a valid codebase name; names have letters, digits, '_', '.' and '-' only"
        ),
        (
            "%(src:a:b!)s", 8..<10,
            "'b!' is not a valid source attribute name; names have letters, digits, '_', '.' and '-' only"
        ),
        (
            "%(src:branch)s", 2..<12,
            "'%(src:branch)s' has no attribute; write %(src:codebase:branch)s, or "
                + "%(src::branch)s for the default codebase"
        ),
        (
            "%(src:a:)s", 2..<8,
            "'%(src:a:)s' names no attribute; write for example %(src:a:branch)s"
        ),
        (
            "%(prop:x:)s", 8..<9,
            "nothing follows the last ':'; write a default as in ':-text', or leave the ':' out"
        ),
        ("%(prop:x:main)s", 9..<13, "':main' is not a modifier; \(modifiers)"),
        ("%(prop:x:#a)s", 9..<11, "':#a' is not a modifier; \(modifiers)"),
        ("%(prop:x:?)s", 9..<10, "':?' lacks its alternatives; write ':?|then|else'"),
        ("%(prop:x:#?)s", 9..<11, "':#?' lacks its alternatives; write ':#?|then|else'"),
        (
            "%(prop:x:?|a)s", 9..<12,
            "':?|a' has no second '|' to divide its alternatives; write for example ':?|then|else'"
        ),
        (
            "%(prop:x:?(a)b)s", 9..<14,
            "'(' cannot divide alternatives; use another character, such as '|'"
        ),
        (
            "%(secret:t:-x)s", 10..<13,
            "a secret has no default and no alternatives: without its value the build must not "
                + "run; write %(secret:t)s"
        ),
        ("%(prop:x:-%(prop:y)d)s", 10..<20, "'%(prop:y)d' must end in 's': write %(prop:y)s"),
    ])
    func `each malformed place has a sentence and a range`(
        text: String, range: Range<Int>, message: String
    ) {
        #expect(errors(in: text) == [InterpolationError(message: message, range: range)])
    }

    @Test func `all malformed places are found at once, in order`() {
        let text = "%(zzz:a)s %(prop:b)d é% %(src:c)s %(prop:x:-%(kw:a b)s %)s %(prop:y"
        let found = errors(in: text)
        #expect(found.map(\.range.lowerBound) == [2, 10, 23, 27, 50, 56, 60])
        let thrown = #expect(throws: InterpolationErrors.self) {
            try InterpolationFormat(parsing: text)
        }
        #expect(thrown?.description.split(separator: "\n").count == 7)
    }

    @Test(arguments: [
        ("%s", 2, "the format has 1 %s, but 2 arguments are given; give one argument for each %s"),
        ("%s%s", 1, "the format has 2 %s, but 1 argument is given; give one argument for each %s"),
        (
            "%s %(prop:x)s", 1,
            "'%(prop:x)s' cannot stand in a format with arguments; give the values by name and "
                + "write %(kw:name)s instead of %s"
        ),
        ("%s %d", 1, "'%d' is not a conversion; write %s, or %% for a percent sign"),
        ("%s %", 1, "a lone '%' is not allowed; write %% for a percent sign"),
    ])
    func `arguments and their places must agree`(text: String, count: Int, message: String) {
        #expect(errors(in: text, positionalCount: count).map(\.message) == [message])
    }

    @Test func `depth is bounded`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "%(prop:a:-", count: depth) + String(repeating: ")s", count: depth)
        }
        #expect(errors(in: nested(64)) == [])
        #expect(errors(in: nested(65)).map(\.message).first?.contains("deeper than 64") == true)
        #expect(errors(in: nested(50_000)).count == 1)
        #expect(errors(in: String(repeating: "%(prop:a:-", count: 50_000)).count == 1)
    }

    @Test func `every one of very many errors is told`() {
        #expect(errors(in: String(repeating: "% ", count: 100_000)).count == 100_000)
    }

    @Test func `random texts parse or are refused, never a trap`() throws {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "%", "(", ")", "s", "prop", "src", "secret", "kw", ":", "-", "~", "+", "?", "#", "|",
            "a", "é", " ", "%(prop:a)s", "%(prop:a:-", ")s", "%%", "\u{301}", "\0",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<24, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let argumentCount = Bool.random(using: &random) ? nil : Int.random(in: 0..<3)
            for error in errors(in: text, positionalCount: argumentCount) {
                #expect(error.range.lowerBound >= 0 && error.range.upperBound <= text.utf8.count)
            }
            guard errors(in: text).isEmpty else { continue }
            let format = try InterpolationFormat(parsing: text)
            _ = try format.render { _ in Bool.random() ? .string("v") : .null }
        }
    }
}
