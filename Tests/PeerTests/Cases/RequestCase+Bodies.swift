import StandardPlugins

extension RequestCase {
    /// `data` and `json`.
    static let bodies: [RequestCase] = [
        .post(
            "data, a mapping", "data: {builder: http, buildnumber: 1}",
            "data={'builder': 'http', 'buildnumber': 1}"),
        .post(
            "data, pairs in their order with duplicates",
            "data: [[b, 1], [a, 2], [b, 3]]", "data=[('b', 1), ('a', 2), ('b', 3)]"),
        .post(
            "data, lists and null", "data: {l: [x, y], n: null, e: ''}",
            "data={'l': ['x', 'y'], 'n': None, 'e': ''}"),
        .post(
            "data, unicode and reserved characters", #"data: {"é +&=": "a b&c=d/é+\n"}"#,
            #"data={'é +&=': 'a b&c=d/é+\n'}"#),
        .post("data, an empty mapping", "data: {}", "data={}"),
        .post(
            "data, a mapping of null alone", "data: {n: null}", "data={'n': None}", .bodyOfNothing),
        .post("data, booleans", "data: {t: true}", "data={'t': True}", .booleans),
        .post("data, a text", "data: raw text é", "data='raw text é'"),
        .post("data, an empty text", "data: ''", "data=''"),
        .post("data, lines", #"data: "a\nb\r\nc""#, #"data='a\nb\r\nc'"#),
        .post(
            "data, a text with a type", "{data: <a/>, headers: {Content-Type: text/xml}}",
            "data='<a/>', headers={'Content-Type': 'text/xml'}"),
        .post(
            "data, a file", "data: !File $fixtures/notes.bin",
            "data=open('$fixtures/notes.bin', 'rb')"),
        .post(
            "data, a file with a type",
            "{data: !File $fixtures/notes.bin, headers: {Content-Type: a/b}}",
            "data=open('$fixtures/notes.bin', 'rb'), headers={'Content-Type': 'a/b'}"),
        .post(
            "data, an empty file", "data: !File $fixtures/empty",
            "data=open('$fixtures/empty', 'rb')", .bodyOfNothing),
        .post("no body at all", "", ""),
        RequestCase(
            name: "data of a GET", step: GET.self, settings: "data: {a: 1}",
            keywords: "data={'a': 1}"),
        RequestCase(
            name: "data of a DELETE", step: DELETE.self, settings: "data: text",
            keywords: "data='text'"),
        .post(
            "json, an object",
            #"json: {builder: http, n: 1, none: null, uni: é, list: [1, 2.5, true], o: {}}"#,
            "json={'builder': 'http', 'n': 1, 'none': None, 'uni': 'é', 'list': [1, 2.5, True], "
                + "'o': {}}"),
        .post("json, an empty object", "json: {}", "json={}"),
        .post("json, a list", "json: [1, [], a]", "json=[1, [], 'a']"),
        .post("json, a text", #"json: "a\"\\\n\t\u0001/😀""#, #"json='a"\\\n\t\x01/😀'"#),
        .post("json, false", "json: false", "json=False"),
        .post("json, zero", "json: 0", "json=0"),
        .post(
            "json, a number's spelling", "json: {v: 1.10}", "json={'v': 1.10}", .numberSpelling),
        .post(
            "json with a type", "{json: {a: 1}, headers: {content-type: application/ld+json}}",
            "json={'a': 1}, headers={'content-type': 'application/ld+json'}"),
        RequestCase(
            name: "json of a PUT", step: PUT.self, settings: "json: {a: 1}",
            keywords: "json={'a': 1}"),
        RequestCase(
            name: "json of a PATCH", step: PATCH.self, settings: "json: {a: 1}",
            keywords: "json={'a': 1}"),
    ]
}
