import MasterJSON
import MasterTemplates
import Testing

struct TemplateErrorTests {
    @Test(arguments: [
        ("a {{ b", 2..<4, "'{{' is never closed by '}}', or a quote inside it is not closed"),
        ("{{ 'b }}", 0..<2, "'{{' is never closed by '}}', or a quote inside it is not closed"),
        ("{% if x", 0..<2, "'{%' is never closed by '%}', or a quote inside it is not closed"),
        ("{# x", 0..<2, "'{#' is never closed by '#}', or a quote inside it is not closed"),
        ("{{ }}", 0..<5, "{{ }} is empty; write {{ name }}"),
        ("{{ a b }}", 5..<6, "expected the end of the expression, found 'b'"),
        ("{{ a| }}", 6..<6, "expected the name of a filter, found nothing"),
        ("{{ a|: }}", 5..<6, "expected the name of a filter, found ':'"),
        ("{{ a. }}", 6..<6, "expected a name after '.', found nothing"),
        ("{{ (a }}", 6..<6, "expected ')', found nothing"),
        ("{{ a[1 }}", 7..<7, "expected ']', found nothing"),
        ("{{ a == }}", 8..<8, "expected a value, found nothing"),
        ("{{ and }}", 3..<6, "expected a value, found 'and'"),
        ("{{ a ? b }}", 5..<6, "'?' is not allowed here; write 'a if condition else b'"),
        ("{{ a ; b }}", 5..<6, "';' is not allowed here; omit it"),
        (
            "{{ a = b }}", 5..<6,
            "expected the end of the expression, found '='; values are compared with '=='"
        ),
        (
            "{{ {'a': 1}.a }}", 3..<4,
            "'{' is not allowed here; a mapping can't be written here, put it into 'ctx' or use "
                + "{% if %}"
        ),
        ("{{ a is odd }}", 8..<11, "unknown test 'odd'; write number % 2 == 1"),
        ("{{ a is divisibleby(3) }}", 8..<19, "unknown test 'divisibleby'; write number % 3 == 0"),
        ("{{ a is iterable }}", 8..<16, "unknown test 'iterable'; write value is sequence"),
        ("{{ a is true }}", 8..<12, "unknown test 'true'; write value == true"),
        (
            "{{ a is callable }}", 8..<16,
            "unknown test 'callable'; known are defined, undefined, none, string, number, mapping, sequence"
        ),
        (
            "{{ 2**3 }}", 4..<6,
            "expected the end of the expression, found '**'; templates have no powers; write a * a"
        ),
        (
            "{{ a[::2] }}", 6..<7,
            "expected ']', found ':'; a slice has no step; the filter 'reverse' reverses a list"
        ),
        (
            "{{ a[1:3:2] }}", 8..<9,
            "expected ']', found ':'; a slice has no step; the filter 'reverse' reverses a list"
        ),
        (
            "{{ 1<2<3 }}", 6..<7,
            "expected the end of the expression, found '<'; join comparisons with 'and', as in "
                + "a < b and b < c"
        ),
        ("{{ *a }}", 3..<4, "expected a value, found '*'; write a value before it"),
        ("{{ +a }}", 3..<4, "expected a value, found '+'; write the number without it"),
        ("{{ a || b }}", 5..<7, "expected the end of the expression, found '||'; write 'or'"),
        ("{{ $a }}", 3..<4, "'$' is not allowed here; write the name without it"),
        (
            "{{ 'a' 'b' }}", 7..<10,
            "expected the end of the expression, found a text; join texts with ~, as in a ~ b"
        ),
        (
            "{{ 0x1f }}", 4..<7,
            "expected the end of the expression, found 'x1f'; write a number as 1000 or 0.5"
        ),
        (
            "{{ [b for b in a] }}", 6..<9,
            "expected ',' or ']', found 'for'; a list can't be computed; write {% for item in list %}"
        ),
        (
            "{{ a := 1 }}", 5..<7,
            "expected the end of the expression, found ':='; write {% set name = value %}"
        ),
        (
            "{% if a == 1: %}{% endif %}", 12..<13,
            "expected the end of the expression, found ':'; omit it"
        ),
        (
            "{% for i in 1..3 %}{% endfor %}", 14..<15,
            "expected a name after '.', found '.'; write a range as 0...9"
        ),
        ("{% elseif a %}", 0..<14, "unknown tag 'elseif'; write {% elif condition %}"),
        ("{% unless a %}", 0..<14, "unknown tag 'unless'; write {% if not condition %}"),
        ("{% print a %}", 0..<13, "unknown tag 'print'; write {{ value }}"),
        (
            "{% if a %}{% else if b %}{% endif %}", 10..<25,
            "nothing may follow 'else' in this tag; write {% elif condition %}"
        ),
        (
            "{{ a|sort(reverse=true) }}", 5..<23,
            "the filter 'sort' does not take these arguments; write sort, or sort | reverse"
        ),
        (
            "{{ a|dictsort }}", 5..<13,
            "unknown filter 'dictsort'; write {% for key, value in mapping.items() %}"
        ),
        ("{{ a|wordcount }}", 5..<14, "unknown filter 'wordcount'; write split | length"),
        (
            "{{ len(a) }}", 3..<6,
            "a template has no functions such as len(); use the filter, as in {{ value | length }}"
        ),
        (
            "{{ range(3) }}", 3..<8,
            "a template has no functions such as range(); write the numbers as 0...9"
        ),
        (
            "{{ now() }}", 3..<6,
            "a template has no functions such as now(); it has filters, as in {{ value | upper }}"
        ),
        (
            "{{ length(a) }}", 3..<9,
            "a template has no functions such as length(); use the filter, as in {{ value | length }}"
        ),
        (
            "{{ a.foo() }}", 5..<10,
            "unknown method '.foo()'; known are capitalize, endswith, get, items, join, keys, lower, replace, split, startswith, strip, title, upper, values"
        ),
        (
            "{{ a.getProperty('b') }}", 5..<21,
            "unknown method '.getProperty()'; write properties.NAME"
        ),
        (
            "{{ a.get() }}", 5..<10,
            "'.get()' does not take these arguments; write mapping.get(\"key\", \"default\")"
        ),
        (
            "{{ a|map('x') }}", 5..<13,
            "the filter 'map' does not take these arguments; write map(attribute=\"name\")"
        ),
        (
            "{{ a|selectattr('b') }}", 5..<15,
            "unknown filter 'selectattr'; write {% for item in list if condition %}"
        ),
        (
            "{{ a|format(b) }}", 5..<11,
            "unknown filter 'format'; join texts with ~, as in {{ a ~ \"-\" ~ b }}"
        ),
        ("{{ a not b }}", 9..<10, "expected 'in', found 'b'"),
        (
            "{{ a|nope }}", 5..<9,
            "unknown filter 'nope'; known are abs, capitalize, date, default, duration, escape, "
                + "first, indent, int, items, join, json, last, length, list, lowercase, map, "
                + "replace, reverse, round, safe, sort, split, string, title, trim, truncate, "
                + "unique, uppercase, urlencode"
        ),
        (
            "{{ a|truncate }}", 5..<13,
            "the filter 'truncate' does not take these arguments; write truncate:80"
        ),
        ("{{ a|json:1 }}", 5..<11, "the filter 'json' does not take these arguments; write json"),
        ("{% if a %}b", 0..<10, "{% if %} is never closed; write {% endif %} where it ends"),
        (
            "{% for a in b %}{% if a %}{% endfor %}", 16..<26,
            "{% if %} is never closed; write {% endif %} where it ends"
        ),
        (
            "{% else %}", 0..<10,
            "{% else %} has nothing to close here; a tag before it is missing or closed already"
        ),
        (
            "{% for a b %}{% endfor %}", 0..<13,
            "a loop is written {% for item in list %}, or {% for key, value in mapping %}"
        ),
        ("{% for a in %}{% endfor %}", 12..<12, "expected a value, found nothing"),
        ("{% if %}{% endif %}", 6..<6, "expected a value, found nothing"),
        ("{% break %}", 0..<11, "{% break %} is only allowed in {% for %}"),
        (
            "{% %}", 0..<5,
            "{% %} has no tag; known are if, ifnot, for, set, filter, break, continue"
        ),
        ("{% set a %}", 0..<11, "a variable is set with {% set name = value %}, in one tag"),
        ("{% set a.b = 1 %}", 0..<17, "a variable is set with {% set name = value %}, in one tag"),
        ("{% now %}", 0..<9, "unknown tag 'now'; write {{ build.started_at | date }}"),
        (
            "{% raw %}", 0..<9,
            "{% raw %} is not available; write {{ \"{{\" }} for two braces"
        ),
        (
            "{% nope %}", 0..<10,
            "unknown tag 'nope'; known are if, ifnot, for, set, filter, break, continue"
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

    @Test func `all mistakes of a template are found, each at its place`() {
        let text = """
            {{ a|nope|upper|nada }} {{ b. }} {{ good }}
            {% for x y %}{{ x.bad }}{{ c == }}{% endfor %}{% now %}{{ }}
            {% if %}{{ d|join(1, 2) }}{% endif %}{% endfor %}{{ last
            """
        let parsed = TemplateText.parse(text)
        let found = parsed.errors.map { "\($0.line):\($0.column) \($0.message.prefix(20))" }
        #expect(
            found == [
                "1:6 unknown filter 'nope", "1:17 unknown filter 'nada",
                "1:31 expected a name afte", "2:1 a loop is written {%",
                "2:33 expected a value, fo", "2:47 unknown tag 'now'; w",
                "2:56 {{ }} is empty; writ", "3:7 expected a value, fo",
                "3:14 the filter 'join' do", "3:38 {% endfor %} has not",
                "3:50 '{{' is never closed",
            ])
        #expect(parsed.template.variables.map(\.name) == ["a", "b", "good", "d"])
    }

    @Test func `a hundred mistakes are kept, and the others counted`() {
        let text = String(repeating: "{{ a|nope }}{% now %}", count: 20_000)
        let parsed = TemplateText.parse(text)
        #expect(parsed.errors.count == 100)
        #expect(parsed.omittedCount == 39_900)
    }

    @Test(arguments: [
        ("{{ 1 / 0 }}", "this divides by zero"), ("{{ 5 % 0 }}", "this divides by zero"),
        (
            "{{ 'a' + 1 }}",
            "'+' takes two numbers, two texts or two lists, not a text and a number; write ~ to "
                + "join texts, and default:0 for what may be missing"
        ),
        (
            "{{ missing - 1 }}",
            "'-' takes two numbers, not a missing value and a number; write | int for a text, and "
                + "default:0 for what may be missing"
        ),
        ("{{ 'abc'['x':] }}", "a slice needs whole numbers, as in text[:7]"),
        (
            "{{ 'a'|replace('', 'b') }}",
            "'replace' needs a text to look for, as in replace(\"old\", \"new\")"
        ),
        ("{{ 'a'|round }}", "'round' needs a number"),
        (
            "{{ 'now'|date }}",
            "'date' needs seconds since 1970, as in build.started_at | date:\"%Y-%m-%d %H:%M\""
        ),
        (
            "{{ 1|date:'%Q' }}",
            "'date' knows %Y %m %d %H %M %S %y %j %b %B %a %A %F %T %s %Z %%, in UTC; write "
                + "date:\"%Y-%m-%d %H:%M\""
        ),
    ])
    func `a value that does not fit is an error`(text: String, message: String) throws {
        let template = try TemplateText(parsing: text)
        let error = #expect(throws: TemplateError.self) { try template.render([:]) }
        #expect(error?.message == message)
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "{% set a = 'xxxxxxxx' %}\(String(repeating: "{% set a = a ~ a %}", count: 40))",
            "{% set a = [1] %}\(String(repeating: "{% set a = a + a %}", count: 40))",
            "{% set a = [1] %}\(String(repeating: "{% set a = [a, a] %}", count: 120))",
            "{% set a = l + l %}{% for i in 1...100000 %}{% set b = [a, a] %}{% endfor %}",
            "{% for i in 1...100000 %}{% set b = l|sort|reverse|unique %}{% endfor %}",
        ])
    func `variables that grow are bounded`(text: String) throws {
        let template = try TemplateText(parsing: text)
        let context: JSONObject = ["l": .array((0..<1000).map { .int($0) })]
        #expect(throws: TemplateError.self) { try template.render(context) }
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
            "{% for x in l %}", "{% endfor %}", "{% set a = l %}", "+", "~", "[:1]", ".get(", "é",
            "\n", "last", "-",
        ]
        let context: JSONObject = ["a": ["l": [1, nil, "x"]], "l": [[], "", 2.5], "s": ""]
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<20, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            do {
                let kind: TemplateText.Kind = Bool.random(using: &random) ? .html : .json
                _ = try TemplateText(parsing: text, kind: kind).render(context)
            } catch {
                #expect(error.range.upperBound <= text.utf8.count, "\(text)")
            }
        }
    }
}
