import StandardPlugins

extension RequestCase {
    /// `files`.
    static let files: [RequestCase] = [
        .post("files, a content", "files: {f: text é}", "files={'f': 'text é'}"),
        .post(
            "files, a content and a name", "files: {f: {content: abc, filename: n.txt}}",
            "files={'f': ('n.txt', 'abc')}"),
        .post(
            "files, a type", "files: {f: {content: a, filename: n.txt, content_type: text/plain}}",
            "files={'f': ('n.txt', 'a', 'text/plain')}"),
        .post(
            "files, headers of a part",
            "files: {f: {content: a, filename: n, content_type: text/x, headers: {X-A: b, X-C: d}}}",
            "files={'f': ('n', 'a', 'text/x', {'X-A': 'b', 'X-C': 'd'})}"),
        .post(
            "files, a path", "files: {f: {path: $fixtures/notes.bin}}",
            "files={'f': open('$fixtures/notes.bin', 'rb')}"),
        .post(
            "files, a tag", "files: {f: !File $fixtures/notes.bin}",
            "files={'f': open('$fixtures/notes.bin', 'rb')}"),
        .post(
            "files, a path under another name",
            "files: {f: {path: $fixtures/notes.bin, filename: other.txt}}",
            "files={'f': ('other.txt', open('$fixtures/notes.bin', 'rb'))}"),
        .post(
            "files, several in their order", "files: {b: one, a: two}",
            "files={'b': 'one', 'a': 'two'}"),
        .post(
            "files after data", "{data: {k: v, l: [1, 2], n: null}, files: {f: abc}}",
            "data={'k': 'v', 'l': [1, 2], 'n': None}, files={'f': 'abc'}"),
        .post(
            "files after pairs", "{data: [[k, 1], [k, 2]], files: {f: abc}}",
            "data=[('k', 1), ('k', 2)], files={'f': 'abc'}"),
        .post(
            "files, names with quotes and unicode",
            #"files: {"a\"é": {content: x, filename: "naïve \"q\" \\ 北.txt"}}"#,
            #"files={'a"é': ('naïve "q" \\ 北.txt', 'x')}"#),
        .post(
            "files, a name with line ends", #"files: {f: {content: x, filename: "a\r\nb"}}"#,
            #"files={'f': ('a\r\nb', 'x')}"#),
        .post("files, an empty content", "files: {f: ''}", "files={'f': ''}"),
        .post("files, none", "files: {}", "files={}"),
    ]
}
