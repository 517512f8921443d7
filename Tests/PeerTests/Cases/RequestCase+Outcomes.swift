import MasterTesting
import StandardPlugins

extension RequestCase {
    /// Requests that fail, and TLS.
    static let outcomes: [RequestCase] =
        [
            faulty("an answer that never comes", .hang, "timeout: 0.2", "timeout=0.2"),
            faulty("an end before the answer", .closeBeforeAnswer),
            faulty("an end in the middle", .closeHalfway(body: Array("0123456789".utf8), after: 3)),
            faulty("a reset", .reset),
            faulty("no HTTP", .raw(Array("SSH-2.0-OpenSSH\r\n\r\n".utf8))),
            faulty("a redirect to another scheme", .redirect(to: "ftp://127.0.0.1/")),
            faulty("a redirect to itself", .redirect(to: "/anything")),
            faulty("a status of 400 and above", .text("", status: 404)),
            RequestCase(
                name: "a port where nothing listens", step: GET.self, url: "http://127.0.0.1:1/",
                settings: "", keywords: ""),
            RequestCase(
                name: "a proxy that is not there", step: GET.self, url: "http://example.test/",
                settings: "proxies: {http: 'http://127.0.0.1:1'}",
                keywords: "proxies={'http': 'http://127.0.0.1:1'}"),
            tls("verify, not known", "", ""),
            tls("verify, another authority", "verify: $stranger", "verify='$stranger'"),
            tls("verify, the authority", "verify: $authority", "verify='$authority'"),
            tls("verify, a folder", "verify: $authorities", "verify='$authorities'"),
            tls("verify, switched off", "verify: false", "verify=False"),
            tls("verify, no such file", "verify: /no/such/file", "verify='/no/such/file'"),
            client("cert, none", "verify: $authority", "verify='$authority'"),
            client(
                "cert, one file", "{verify: $authority, cert: $clientBoth}",
                "verify='$authority', cert='$clientBoth'"),
            client(
                "cert, a pair", "{verify: $authority, cert: [$client, $clientKey]}",
                "verify='$authority', cert=('$client', '$clientKey')"),
            client(
                "cert, of a stranger", "{verify: $authority, cert: $strangerBoth}",
                "verify='$authority', cert='$strangerBoth'"),
            client(
                "cert, no such file", "{verify: $authority, cert: /no/such/file}",
                "verify='$authority', cert='/no/such/file'"),
        ] + settings

    /// Settings and keywords that are invalid or accepted by only one side.
    private static let settings: [RequestCase] = [
        RequestCase(
            name: "an address without a scheme", step: GET.self, url: "localhost/x", settings: "",
            keywords: ""),
        RequestCase(
            name: "an address of another scheme", step: GET.self, url: "ftp://localhost/x",
            settings: "", keywords: ""),
        .get("an unknown keyword", "colour: red", "colour='red'"),
        .get("a line end in a header", #"headers: {X-A: "a\nb"}"#, #"headers={'X-A': 'a\nb'}"#),
        .post(
            "a text beside files", "{data: text, files: {f: a}}", "data='text', files={'f': 'a'}"),
        .post(
            "json beside data", "{json: {a: 1}, data: {b: 2}}", "json={'a': 1}, data={'b': 2}",
            .twoBodies),
        .post(
            "json beside files", "{json: {a: 1}, files: {f: a}}",
            "json={'a': 1}, files={'f': 'a'}", .twoBodies),
        RequestCase(
            name: "an address with a space", step: GET.self, url: "SERVER/anything/a b",
            settings: "", keywords: "", differences: [.spacesInAddresses]),
        .get("params, a text", "params: a=1", "params='a=1'", .paramsAsText),
        .get("a number as a header", "headers: {X-A: 1}", "headers={'X-A': 1}", .numbersAsHeaders),
        RequestCase(
            name: "a short password in a netrc file", step: GET.self, url: "http://short.test/",
            settings: "{auth: netrc, proxies: {http: SERVER}}",
            keywords: "proxies={'http': 'SERVER'}", differences: [.shortPassword]),
        .get(
            "no proxy for a host",
            "proxies: {http: 'http://127.0.0.1:1', 'http://127.0.0.1': null}",
            "proxies={'http': 'http://127.0.0.1:1', 'http://127.0.0.1': None}", .proxies),
        .get(
            "a colon in a user", "auth: ['a:b', c]", "auth=('a:b', 'c')", .colonInUser),
        .get(
            "a password beyond Latin-1", "auth: [user, 北]", "auth=('user', '北')", .basicAsUTF8),
    ]

    private static func faulty(
        _ name: String, _ answer: ServerAnswer, _ settings: String = "", _ keywords: String = ""
    ) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, settings: settings, keywords: keywords,
            answer: { _ in answer })
    }

    private static func tls(_ name: String, _ settings: String, _ keywords: String) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, url: "HTTPS/", settings: settings, keywords: keywords)
    }

    private static func client(
        _ name: String, _ settings: String, _ keywords: String
    ) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, url: "HTTPSFORCLIENTS/", settings: settings,
            keywords: keywords)
    }
}
