import MasterKit
import Testing

/// A value that a template derives from a secret is secret.
struct TemplateSecretTests {
    private static let token = "Hunter-2-Ab-Cd-Ef-0123"

    private func rendered(_ template: String, _ mask: SecretMask) throws -> String {
        let context: JSONObject = [
            "token": .string(Self.token), "text": .string("key: \(Self.token)!"),
            "list": ["public", .string(Self.token)], "other": "harmless words",
            "mapping": ["k": .string(Self.token)],
        ]
        return try TemplateText(parsing: template).render(context, hiding: mask)
    }

    /// All sequences of four characters of the result must be hidden.
    @Test(arguments: [
        "{{ token | upper }}", "{{ token | lower }}", "{{ token | capitalize }}",
        "{{ token | truncate:10 }}", "{{ text | upper }}", "{{ token | split:'-' | join:' ' }}",
        "{{ token | split:'-' }}", "{{ token | split:'-' | first }}-{{ token | split:'-' | last }}",
        "{% for part in token | split:'-' %}{{ part }} {% endfor %}",
        "{% for part in token | split:'-' %}{{ part }}{% endfor %}",
        "{% filter upper %}it is {{ token }}{% endfilter %}",
        "{% for item in list | upper %}{{ item }},{% endfor %}",
        "{{ token | upper if other else other }}", "{{ (token | upper) or other }}",
        "{{ [token, other] | upper | join:'/' }}", "{{ nothing | default:token | upper }}",
        "{{ nothing | default:(token|upper) }}", "{{ mapping.k | upper | json }}",
        "{{ token | upper | split:'-' | last }}", "{{ token.first }}: {{ token.last }} of it",
        "{% for c in token %}{{ c }}{% endfor %}", "{{ token[0] }} to {{ token[-1] }}",
        "{{ token[:12] }}", "{{ token[4:] ~ token[:4] }}", "{{ token.upper() }}",
        "{{ token.replace('-', '') }}", "{{ token | title }}", "{{ token | urlencode | lower }}",
        "{% set t = token | lower %}{{ t }}", "{{ token.split('-') | join('') }}",
        "{{ '+'.join(token | split('-')) }}", "{{ token | list | join(' ') }}",
        "{{ mapping.get('k') | lower }}", "{{ nothing.get('k', token | lower) }}",
        "{{ mapping.values() | first | lower }}", "{{ ('x' ~ token)[1:] | lower }}",
        "{{ token | truncate:3 }} is how it begins", "{{ token | upper | indent:2 }}",
    ])
    func `what a filter makes of a secret is hidden`(_ template: String) throws {
        let mask = SecretMask([("token", Self.token)])
        let text = try rendered(template, mask)
        let shown = mask.apply(to: text)
        #expect(shown.contains("<token>"), "\(text)")
        let parts = ["hunt", "ab", "cd", "ef", "0123"]
        let left = parts.filter { shown.lowercased().contains($0) }
        #expect(left == [], "\(text) is shown as \(shown)")
        // The result is also hidden where it is shown later, as in the output of a command.
        #expect(!mask.apply(to: "+ echo \(text)").lowercased().contains("hunt"))
    }

    @Test(arguments: [
        ("{{ token }}", "<token>"),
        ("to {{ token }} with {{ other }}", "to <token> with harmless words"),
        ("{{ token | json }}", "\"<token>\""), ("{{ 'a' ~ token ~ 'b' }}", "a<token>b"),
        ("{{ 'a' + token }}", "a<token>"), ("{{ mapping.get('k') }}", "<token>"),
        ("{% set t = token %}{{ t }}!", "<token>!"), ("{{ ', '.join(list) }}", "public, <token>"),
        ("{{ token.startswith('H') }}", "true"), ("{{ other | upper }}", "HARMLESS WORDS"),
        ("{{ list | first }}", "public"), ("{{ list.0 }} {{ list.1 }}", "public <token>"),
        ("{{ token | length }}", "22"), ("{{ token.count }}", "22"),
        ("{{ list | join:' ' }}", "public <token>"), ("{{ text | trim }}", "key: <token>!"),
        ("{{ 'yes' if token | upper else 'no' }}", "yes"),
    ])
    func `what a mask finds by itself hides nothing else`(
        _ template: String, _ expected: String
    ) throws {
        let mask = SecretMask([("token", Self.token)])
        #expect(mask.apply(to: try rendered(template, mask)) == expected)
        #expect(mask.apply(to: "public harmless HARMLESS yes") == "public harmless HARMLESS yes")
    }

    @Test(arguments: [
        (
            "{{ token | truncate:3 }}",
            "the template shows a part of the secret 'token' that is too short to be hidden, "
                + "3 of its characters; leave it out"
        ),
        (
            "{{ token.first }}",
            "the template shows a part of the secret 'token' that is too short to be hidden, "
                + "1 of its characters; leave it out"
        ),
        (
            "{{ [\(String(repeating: "token, ", count: 190))] | upper "
                + "| join:'\(String(repeating: "-", count: 80))' }}",
            "the template makes a text of 19300 bytes out of the secret 'token'; at most 16384 "
                + "can be hidden"
        ),
    ])
    func `what can't be hidden is an error`(_ template: String, _ message: String) throws {
        let mask = SecretMask([("token", Self.token)])
        let error = #expect(throws: TemplateError.self) { try rendered(template, mask) }
        #expect(error?.message == message)
    }
}
