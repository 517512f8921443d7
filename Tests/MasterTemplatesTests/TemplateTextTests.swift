import MasterJSON
import MasterTemplates
import Testing

struct TemplateTextTests {
    private static let context: JSONObject = [
        "build": [
            "number": 7, "results": 2, "state": "failed", "complete_at": nil,
            "started_at": 1_795_342_428, "properties": ["got-revision": ["abc", "Git"]],
            "steps": [
                ["name": "compile", "results": 0], ["name": "test", "results": 2],
                ["name": "deploy", "results": 3],
            ],
        ],
        "empty": [], "blank": "", "text": "Hello World", "zero": 0, "yes": true, "price": 1.10,
        "html": "<b>\"a\" & 'b'</b>", "names": ["x", "y", "z"], "lines": "a\nb\n\nc",
        "windows": "a\r\nb\r\n",
        "spelled": .number(JSONNumber(spelling: "1.10") ?? 0),
    ]

    private func render(_ text: String, kind: TemplateText.Kind = .plain) throws -> String {
        try TemplateText(parsing: text, kind: kind).render(Self.context)
    }

    @Test(arguments: [
        ("", ""), ("plain { } % # }} %}", "plain { } % # }} %}"),
        ("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}"),
        ("#{{ build.number }}!", "#7!"), ("{{build.number}}", "7"),
        ("é{{ text }}😀", "éHello World😀"),
        ("{{ build.steps.0.name }}", "compile"), ("{{ build.steps[1].name }}", "test"),
        ("{{ build.steps[-1]['name'] }}", "deploy"), ("{{ build.steps.last.name }}", "deploy"),
        ("{{ build.steps.first.name }}", "compile"), ("{{ build.steps.count }}", "3"),
        ("{{ text[0] }}{{ text[-1] }}{{ text[999] }}{{ text[-999] }}", "Hd"),
        ("{% for c in text[:3] if c != 'e' %}{{ c }}-{% endfor %}", "H-l-"),
        ("{{ build.properties.got-revision.0 }}", "abc"),
        ("{{ build.properties[\"got-revision\"][0] }}", "abc"), ("{{ text.first }}", "H"),
        ("{{ text.count }}", "11"), ("{{ spelled }}", "1.10"), ("{{ yes }}", "true"),
        ("{{ names }}", #"["x","y","z"]"#),
        ("{{ build.steps.0 }}", #"{"name":"compile","results":0}"#),
        ("{{ missing }}", ""), ("{{ missing.deeper[0].still }}", ""),
        ("{{ build.complete_at }}", ""),
        ("{{ empty.last }}{{ empty.first }}{{ blank.last }}{{ blank.first }}", ""),
        ("{{ build.steps[99] }}{{ build.steps[-99] }}{{ text.nope }}{{ zero.x }}", ""),
        ("{{ 'a' }}{{ \"b\\n\" }}{{ 1.50 }}{{ -3 }}{{ true }}", "ab\n1.50-3true"),
        ("{{ '}}' }}{{ \"%}\" }}", "}}%}"), ("a{# {{ comment }} it's #}b", "ab"),
        ("{{ text if yes }}", "Hello World"), ("{{ text if zero else 'no' }}", "no"),
        ("{{ text if zero }}", ""), ("{{ blank or 'fallback' }}", "fallback"),
        ("{{ yes and 'both' }}", "both"), ("{{ build.results == 2 }}", "true"),
    ])
    func `values are inserted`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        ("{{ missing|default:\"x\" }}", "x"),
        ("{{ build.complete_at|default:'running' }}", "running"),
        ("{{ zero|default:5 }}", "0"), ("{{ missing|default(text) }}", "Hello World"),
        ("{{ html|json }}", #""<b>\"a\" & 'b'</b>""#), ("{{ names|json }}", #"["x","y","z"]"#),
        ("{{ missing|json }}", "null"), ("{{ lines|json }}", #""a\nb\n\nc""#),
        ("{{ text|truncate:5 }}", "Hell…"), ("{{ text|truncate:11 }}", "Hello World"),
        ("{{ text|truncate:0 }}", ""), ("{{ text|truncate(1) }}", "…"),
        ("{{ text|upper }}", "HELLO WORLD"),
        ("{{ text|lowercase }}", "hello world"),
        ("{{ 'o\\'neil iS ÉTÉ'|capitalize }}", "O'neil Is Été"),
        ("{{ names|uppercase }}", #"["X","Y","Z"]"#), ("{{ names|join:', ' }}", "x, y, z"),
        ("{{ names|join }}", "xyz"), ("{{ text|split|last }}", "World"),
        ("{{ 'a,b,,c'|split:','|length }}", "4"), ("{{ names|length }}{{ missing|length }}", "30"),
        ("{{ lines|indent:2 }}", "a\n  b\n\n  c"),
        ("{{ windows|indent:2 }}", "a\r\n  b\r\n"),
        ("{{ lines|indent:1,'>',true }}", ">a\n>b\n\n>c"),
        ("{{ '  a b\n'|trim }}|{{ '  '|trim }}", "a b|"),
        ("{{ html|escape }}", "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;"),
        ("{% filter upper %}a {{ text }}{% endfilter %}", "A HELLO WORLD"),
        ("{% filter upper|truncate:3 %}abcdef{% endfilter %}", "AB…"),
    ])
    func `filters change values`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        ("{% if yes %}a{% endif %}", "a"), ("{% if zero %}a{% else %}b{% endif %}", "b"),
        ("{% if zero %}a{% elif blank %}b{% elif yes %}c{% else %}d{% endif %}", "c"),
        ("{% if not zero and (blank or yes) %}a{% endif %}", "a"),
        ("{% ifnot zero %}a{% else %}b{% endif %}", "a"),
        ("{% if build.results == 2 and build.state != \"ok\" %}a{% endif %}", "a"),
        ("{% if build.started_at == 1795342429 %}same{% else %}other{% endif %}", "other"),
        ("{% if build.started_at < 1795342429 %}less{% endif %}", "less"),
        ("{% if 2 >= 2 and 2 <= 2.0 and 3 > 2.5 and 'a' < 'b' %}a{% endif %}", "a"),
        ("{% if missing > 1 or missing < 1 or names >= 1 %}a{% else %}b{% endif %}", "b"),
        ("{% if missing == none and build.complete_at == null %}a{% endif %}", "a"),
        ("{% if 'y' in names and 'z' not in text and 'lo W' in text %}a{% endif %}", "a"),
        ("{% if 'number' in build and 'nope' not in build and 2 in [1, 2] %}a{% endif %}", "a"),
        ("{% if -1 %}a{% endif %}{% if names|length > 2 %}b{% endif %}", "ab"),
    ])
    func `conditions choose`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        ("{% for n in names %}{{ n }},{% endfor %}", "x,y,z,"),
        ("{% for n in empty %}{{ n }}{% empty %}none{% endfor %}", "none"),
        ("{% for n in missing %}{{ n }}{% else %}none{% endfor %}", "none"),
        ("{% for n in zero %}{{ n }}{% empty %}none{% endfor %}", "none"),
        (
            "{% for s in build.steps where s.results != 0 %}{{ s.name }} {% endfor %}",
            "test deploy "
        ),
        ("{% for k, v in build.steps.0 %}{{ k }}={{ v }};{% endfor %}", "name=compile;results=0;"),
        ("{% for k in build.steps.0 %}{{ k }};{% endfor %}", "name;results;"),
        ("{% for a, b in [[1, 2], [3], 4] %}{{ a }}-{{ b }};{% endfor %}", "1-2;3-;4-;"),
        (
            "{% for i in 1...3 %}{{ i }}{% endfor %}{% for i in 3...1 %}{{ i }}{% endfor %}",
            "123321"
        ),
        (
            "{% for n in names %}{{ forloop.counter }}{{ loop.index0 }}{% if not forloop.last %},"
                + "{% endif %}{% endfor %}", "10,21,32"
        ),
        ("{% for n in names %}{% if n == 'y' %}{% break %}{% endif %}{{ n }}{% endfor %}", "x"),
        ("{% for n in names %}{% if n == 'y' %}{% continue %}{% endif %}{{ n }}{% endfor %}", "xz"),
        (
            "{% for a in 1...2 %}{% for b in 1...2 %}{{ a }}{{ b }}{{ forloop.last }} {% endfor %}"
                + "{{ forloop.last }};{% endfor %}{{ b }}",
            "11false 12true false;21false 22true true;"
        ),
        ("{% for text in names %}{{ text }}{% endfor %}{{ text }}", "xyzHello World"),
    ])
    func `loops repeat`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        ("a \n{%- if yes -%}\n b \n{%- endif -%}\n c", "abc"),
        ("a {{- text -}} b", "aHello Worldb"),
        ("a {%+ if yes +%} b {% endif %}", "a  b "), ("a {#- c -#} b", "ab"),
    ])
    func `space around tags can be trimmed`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        ("{{ html }}", "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;"),
        ("<i>{{ text }}</i>", "<i>Hello World</i>"), ("{{ html|safe }}", "<b>\"a\" & 'b'</b>"),
        (
            "{{ html|escape }}{{ '<'|e|e }}",
            "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;&lt;"
        ),
        ("{{ html|safe|upper }}", "&lt;B&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/B&gt;"),
        ("{% filter trim %} <b>{{ '<' }}</b> {% endfilter %}", "<b>&lt;</b>"),
        ("{{ '<a>'|json }}", "&quot;&lt;a&gt;&quot;"),
    ])
    func `HTML is escaped unless it is safe`(template: String, text: String) throws {
        #expect(try render(template, kind: .html) == text)
    }

    /// Expressions from Buildbot templates, with their expected results.
    @Test(arguments: [
        (
            "{{ build.get('state', 'x') }}/{{ build.get('nope', 'x') }}/{{ build.get('nope') }}",
            "failed/x/"
        ),
        ("{{ missing.get('a', 'b') }}{{ build['properties'].get('got-revision')[0] }}", "babc"),
        ("{{ ', '.join(names) }}", "x, y, z"), ("{{ '-'.join(['a', build.number]) }}", "a-7"),
        (
            "{{ text[:5] }}|{{ text[6:] }}|{{ text[-3:] }}|{{ text[2:4] }}|{{ text[9:2] }}",
            "Hello|World|rld|ll|"
        ),
        (
            "{{ 'é😀x'[1:2] }}{{ names[1:]|join }}{{ names[-1:][0] }}{{ text[:99] }}",
            "😀yzzHello World"
        ),
        ("{{ missing[:7] }}", ""),
        ("{{ build.number + 1 }} {{ build.number - 10 }} {{ build.number-1 }}", "8 -3 "),
        ("{{ 7 - 2 - 1 }} {{ 7 -2 }} {{ -3 + 5 }} {{ 2 * 3 + 1 }} {{ 1 + 2 * 3 }}", "4 5 2 7 7"),
        (
            "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 6 / 2 }} {{ 7 / 2 }}",
            "3 -4 1 2 3 3.5"
        ),
        ("{{ 'a' + 'b' }}{{ ['a'] + ['b'] }}", #"ab["a","b"]"#),
        ("{{ 'n' ~ build.number ~ missing ~ 1.50 }}", "n71.50"),
        ("{{ -build.number }} {{ 9223372036854775807 + 1 }}", "-7 9.223372036854776e+18"),
        ("{% set a = build.number %}{{ a + a }}", "14"),
        ("{% set a = 1 %}{% for n in names %}{% set a = n %}{{ a }}{% endfor %}{{ a }}", "xyz1"),
        ("{% set a = 1 %}{% if yes %}{% set a = 2 %}{% endif %}{{ a }}", "2"),
        ("{% for s in build.steps if s.results != 0 %}{{ s.name }} {% endfor %}", "test deploy "),
        (
            "{% for s in build.steps if s.results > 9 %}{{ s.name }}{% else %}none{% endfor %}",
            "none"
        ),
        (
            "{% for k, v in build.steps[0].items() %}{{ k }}={{ v }};{% endfor %}",
            "name=compile;results=0;"
        ),
        ("{{ build.steps|map(attribute='name')|join(', ') }}", "compile, test, deploy"),
        ("{{ text|replace('World', 'you') }}{{ text.replace('l', '') }}", "Hello youHeo Word"),
        (
            "{{ 'a b/ü&c'|urlencode }} {{ build.steps[0]|urlencode }}",
            "a%20b%2F%C3%BC%26c name=compile&results=0"
        ),
        (
            "{{ ' 12 '|int + 1 }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ 3.9|int }} {{ yes|int }}",
            "13 0 5 3 1"
        ),
        ("{{ 'hello wORLD'|title }}{{ ' a '.strip() }}{{ 'a'.upper() }}", "Hello WorldaA"),
        (
            "{{ build.started_at|date }} {{ build.started_at|date:'%d.%m.%y %H:%M %Z' }}",
            "2026-11-22 10:13:48 22.11.26 10:13 UTC"
        ),
        (
            "{{ 0|date('%F %T %j %a %B %s %%') }} {{ missing|date }}",
            "1970-01-01 00:00:00 001 Thu January 0 % "
        ),
        (
            "{{ 951782400|date('%F %j') }} {{ -1|date('%F %A') }}",
            "2000-02-29 060 1969-12-31 Wednesday"
        ),
        ("{{ 42|duration }} {{ 302|duration }} {{ 3900|duration }}", "42s 5m 02s 1h 05m"),
        ("{{ 3.14159|round(2) }} {{ 2.5|round }} {{ -3|abs }}", "3.14 3 3"),
        ("{{ [3, 1, 2, 1]|sort|unique|reverse|join(',') }}{{ 'ab'|list|join('-') }}", "3,2,1a-b"),
        ("{{ blank|default('x', true) }}{{ blank|default('x') }}", "x"),
        (
            "{{ 'd' if yes is defined }}{{ 'u' if missing is not defined }}{{ 'n' if build.complete_at is none }}",
            "dun"
        ),
        (
            "{{ text.startswith('Hell') }} {{ text.endswith('x') }} {{ build.steps[0].keys()|join }}",
            "true false nameresults"
        ),
        ("{{ text.split(' ')[1] }}{{ (text or blank).lower() }}", "Worldhello world"),
        ("{{ 'up' if build.results in (2, ) else 'down' }}", "up"),
    ])
    func `the spellings of Jinja work`(template: String, text: String) throws {
        #expect(try render(template) == text)
    }

    @Test(arguments: [
        (#"{"t": "{{ html }}"}"#, #"{"t":"<b>\"a\" & 'b'</b>"}"#),
        (
            #"{"t": "state: {{ lines }}!", "n": {{ build.number }}}"#,
            #"{"t":"state: a\nb\n\nc!","n":7}"#
        ),
        (
            #"{"t": {{ html }}, "m": {{ missing }}, "y": {{ yes }}}"#,
            #"{"t":"<b>\"a\" & 'b'</b>","m":null,"y":true}"#
        ),
        (#"{"t": "\"{{ html }}\""}"#, #"{"t":"\"<b>\"a\" & 'b'</b>\""}"#),
        (
            #"{"l": {{ names }}, "o": {{ build.steps[0] }}}"#,
            #"{"l":["x","y","z"],"o":{"name":"compile","results":0}}"#
        ),
        (#"{"t": "{{ names }}"}"#, #"{"t":"[\"x\",\"y\",\"z\"]"}"#),
        (
            #"{"t": {{ html | json }}, "u": "{{ 'a"' | json }}"}"#,
            #"{"t":"<b>\"a\" & 'b'</b>","u":"\"a\\\"\""}"#
        ),
        (
            #"[{% for n in names %}"{{ n }}"{{ "," if not loop.last }}{% endfor %}]"#,
            #"["x","y","z"]"#
        ),
        (
            #"[{% for n in names %}{{ n }}{{ ", " if not loop.last else "" }}{% endfor %}]"#,
            #"["x","y","z"]"#
        ),
        (
            #"[{% for n in names %}{{ n }}{% if not loop.last %},{% endif %}{% endfor %}]"#,
            #"["x","y","z"]"#
        ),
        (#"{{ '{"a": 1}' | safe }}"#, #"{"a":1}"#),
        (#"{{ '{"a": "' | safe }}{{ html }}"}"#, #"{"a":"<b>\"a\" & 'b'</b>"}"#),
        (#"{"t": "{% filter upper %}say {{ 'a"b' }}{% endfilter %}"}"#, #"{"t":"SAY A\"B"}"#),
        (#"{"t": {% filter json %}say "{{ 'a"b' }}"{% endfilter %}}"#, #"{"t":"say \"a\"b\""}"#),
        (#"{"t": {{ names | json | indent:2 }}}"#, #"{"t":["x","y","z"]}"#),
        (#"{"t": {{ blank or "" }}, "u": {{ "yes" if yes else "no" }}}"#, #"{"t":"","u":"yes"}"#),
        (#"{"t": "{{ '\\' }}", "u": "{{ missing }}"}"#, #"{"t":"\\","u":""}"#),
    ])
    func `a JSON template escapes what is inserted`(template: String, json: String) throws {
        let text = try render(template, kind: .json)
        #expect(JSONWriter.compact.string(try JSONValue(parsing: text)) == json, "\(text)")
    }

    @Test func `a JSON template inserts what the filter json makes`() throws {
        let text = try render(
            #"{"text": {{ html|json }}, "n": {{ build.number }}, "l": {{ names }}}"#, kind: .json)
        let value = try JSONValue(parsing: text)
        #expect(value["text"]?.stringValue == "<b>\"a\" & 'b'</b>")
        #expect(value["n"] == 7)
        #expect(value["l"] == ["x", "y", "z"])
    }

    @Test func `an inserted value is never parsed again`() throws {
        let template = try TemplateText(parsing: "{{ a }}")
        #expect(try template.render(["a": "{{ b }}{% if %}", "b": 1]) == "{{ b }}{% if %}")
    }

    @Test func `variables from outside are known with their places`() throws {
        let text = """
            é{{ build.steps.0.name }} {% for s in build.steps where s.a == limit %}{{ s.name }}
            {{ forloop.counter }}{{ other[key].x }}{% endfor %}{{ s }}{{ x|default:y }}
            """
        let template = try TemplateText(parsing: text)
        #expect(
            template.variables.map(\.path) == [
                ["build", "steps", "0", "name"], ["build", "steps"], ["limit"], ["other"], ["key"],
                ["s"], ["x"], ["y"],
            ]
        )
        let bytes = Array(text.utf8)
        let places = template.variables.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        #expect(
            places == ["build.steps.0.name", "build.steps", "limit", "other", "key", "s", "x", "y"])
        #expect(template.variables.filter(\.hasDefault).map(\.name) == ["x"])
    }
}
