import MasterKit
import Testing

struct TemplateErrorTests {
    @Test(arguments: [
        ("a {{ b", 2..<4, "'{{' is never closed by '}}', or a quote inside it is not closed"),
        ("{{ 'b }}", 0..<2, "'{{' is never closed by '}}', or a quote inside it is not closed"),
        ("{% if x", 0..<2, "'{%' is never closed by '%}', or a quote inside it is not closed"),
        ("{# x", 0..<2, "'{#' is never closed by '#}', or a quote inside it is not closed"),
        ("{{ }}", 0..<5, "{{ }} holds nothing; write {{ name }}"),
        ("{{ a b }}", 5..<6, "expected the end of the expression, found 'b'"),
        ("{{ a| }}", 6..<6, "expected the name of a filter, found nothing"),
        ("{{ a|: }}", 5..<6, "expected the name of a filter, found ':'"),
        ("{{ a. }}", 6..<6, "expected a name after '.', found nothing"),
        ("{{ (a }}", 6..<6, "expected ')', found nothing"),
        ("{{ a[1 }}", 7..<7, "expected ']', found nothing"),
        ("{{ a == }}", 8..<8, "expected a value, found nothing"),
        ("{{ and }}", 3..<6, "expected a value, found 'and'"),
        ("{{ a + b }}", 5..<6, "'+' means nothing here; texts need quotes"),
        ("{{ a not b }}", 9..<10, "expected 'in', found 'b'"),
        (
            "{{ a|nope }}", 5..<9,
            "unknown filter 'nope'; known are capitalize, default, escape, first, indent, join, "
                + "json, last, length, lowercase, safe, split, trim, truncate, uppercase"
        ),
        (
            "{{ a|truncate }}", 5..<13,
            "the filter 'truncate' cannot take 0 arguments; write truncate:80"
        ),
        ("{{ a|json:1 }}", 5..<11, "the filter 'json' cannot take 1 arguments; write json"),
        ("{% if a %}b", 0..<10, "{% if %} is never closed; write {% endif %} where it ends"),
        (
            "{% for a in b %}{% if a %}{% endfor %}", 26..<38,
            "{% endfor %} has nothing to belong to here; a tag before it is missing or closed already"
        ),
        (
            "{% else %}", 0..<10,
            "{% else %} has nothing to belong to here; a tag before it is missing or closed already"
        ),
        (
            "{% for a b %}{% endfor %}", 0..<13,
            "a loop is written {% for item in list %}, or {% for key, value in mapping %}"
        ),
        ("{% for a in %}{% endfor %}", 12..<12, "expected a value, found nothing"),
        ("{% if %}{% endif %}", 6..<6, "expected a value, found nothing"),
        ("{% break %}", 0..<11, "{% break %} belongs into a {% for %}"),
        ("{% %}", 0..<5, "{% %} holds no tag; known are if, ifnot, for, filter, break, continue"),
        ("{% set a = 1 %}", 9..<10, "'=' means nothing here; texts need quotes"),
        (
            "{% now %}", 0..<9,
            "unknown tag 'now'; known are if, ifnot, for, filter, break, continue"
        ),
        (
            "{% include \"/etc/passwd\" %}", 0..<27,
            "{% include %} is not available: a template reads no other files; write the text into "
                + "this one"
        ),
        (
            "{% extends \"base\" %}", 0..<20,
            "{% extends %} is not available: a template reads no other files; write the text into "
                + "this one"
        ),
    ])
    func `a mistake has a sentence and a place`(text: String, range: Range<Int>, message: String) {
        let error = #expect(throws: TemplateError.self) { try TemplateText(parsing: text) }
        #expect(error?.message == message)
        #expect(error?.range == range)
    }

    @Test func `a mistake says its line and column`() {
        let error = #expect(throws: TemplateError.self) {
            try TemplateText(parsing: "a\né {{ b|nope }}")
        }
        #expect(error?.line == 2)
        #expect(error?.column == 8)
        #expect(error?.description.hasSuffix("(line 2, column 8 of the template)") == true)
    }

    @Test func `depth is bounded`() {
        func nested(_ open: String, _ close: String, _ count: Int) -> String {
            String(repeating: open, count: count) + String(repeating: close, count: count)
        }
        for text in [
            nested("{% if a %}", "{% endif %}", 33), nested("{% if a %}", "{% endif %}", 20_000),
            "{{ \(nested("(", ")", 100)) }}", "{{ \(nested("[", "]", 100)) }}",
            "{{ a\(nested("[a", "]", 100)) }}",
            "{{ \(String(repeating: "not ", count: 300))a }}",
            "{{ a\(String(repeating: "|upper", count: 20_000)) }}",
            "{{ a\(String(repeating: " if b else a", count: 90)) }}",
        ] {
            #expect(throws: TemplateError.self) { try TemplateText(parsing: text) }
        }
        #expect(throws: Never.self) {
            try TemplateText(parsing: nested("{% if a %}", "{% endif %}", 32))
        }
    }

    @Test(arguments: [
        ("{% for a in 1...9999999999 %}x{% endfor %}", "the range has more than 100000 numbers"),
        ("{% for a in 'x'...2 %}x{% endfor %}", "a range needs two whole numbers, as in 1...10"),
        (
            "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}",
            "rendering takes more than 1000000 steps; the loops go through too much"
        ),
        (
            "{% for a in l %}{% for b in l %}{{ big }}{% endfor %}{% endfor %}",
            "the rendered text would be larger than 16 MiB"
        ),
        ("{{ big|indent:1000,big }}", "the result of 'indent' would be larger than 16 MiB"),
        ("{{ l|join:big }}", "the result of 'join' would be larger than 16 MiB"),
        ("{{ big|indent:-1 }}", "'indent' needs a width from 0 to 1000, as in indent:4"),
        ("{{ big|truncate:-1 }}", "'truncate' needs a number of characters, as in truncate:80"),
        ("{{ big|truncate:'x' }}", "'truncate' needs a number of characters, as in truncate:80"),
        ("{{ big|split:'' }}", "'split' needs a separator, as in split:\",\""),
        ("{{ commas|split:',' }}", "'split' makes more than 100000 parts"),
    ])
    func `rendering is bounded`(text: String, message: String) throws {
        let context: JSONObject = [
            "l": .array(Array(repeating: 1, count: 1000)),
            "big": .string(String(repeating: "x\n", count: 50_000)),
            "commas": .string(String(repeating: ",", count: 100_001)),
        ]
        let template = try TemplateText(parsing: text)
        let error = #expect(throws: TemplateError.self) { try template.render(context) }
        #expect(error?.message == message)
    }

    @Test func `filters one upon another do not exhaust the memory`() throws {
        let template = try TemplateText(parsing: "{{ q\(String(repeating: "|json", count: 150)) }}")
        let error = #expect(throws: TemplateError.self) { try template.render(["q": "\""]) }
        #expect(error?.message == "the result of 'json' would be larger than 16 MiB")
    }

    @Test func `random templates parse and render or are refused, never a trap`() throws {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "{{", "}}", "{%", "%}", "{#", "#}", " ", "a", "l", "s", ".", "[", "]", "0", "-1", "|",
            "json", "indent", "truncate", "split", ":", ",", "'", "\"", "if", "for", "in", "endif",
            "endfor", "else", "(", ")", "==", "not", "...", "{{ a }}", "{% if a %}", "{% endif %}",
            "{% for x in l %}", "{% endfor %}", "é", "\n", "last", "-",
        ]
        let context: JSONObject = ["a": ["l": [1, nil, "x"]], "l": [[], "", 2.5], "s": ""]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<20, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            do {
                _ = try TemplateText(parsing: text, kind: .html).render(context)
            } catch {
                #expect(error.range.upperBound <= text.utf8.count, "\(text)")
            }
        }
    }
}
