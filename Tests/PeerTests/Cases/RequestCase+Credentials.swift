import MasterTesting
import StandardPlugins

extension RequestCase {
    /// `auth`, and users in URLs.
    static let credentials: [RequestCase] = [
        .get("auth, a pair", "auth: [user, pass word]", "auth=('user', 'pass word')"),
        .get(
            "auth, basic", "auth: {basic: [user, 'a:b:c']}", "auth=HTTPBasicAuth('user', 'a:b:c')"),
        .get(
            "auth, a password of Latin-1", "auth: [user, é]", "auth=('user', 'é')", .basicAsUTF8),
        .get("auth, bearer", "auth: {bearer: abc.def-1}", "auth=Bearer('abc.def-1')"),
        .get(
            "auth before a header", "{auth: [u, p], headers: {Authorization: own}}",
            "auth=('u', 'p'), headers={'Authorization': 'own'}"),
        .get(
            "a header of one's own", "headers: {Authorization: Token abc}",
            "headers={'Authorization': 'Token abc'}"),
        .address("a user in the address", "http://us%40er:pa%3Ass@HOST/anything"),
        RequestCase(
            name: "auth before the user in the address", step: GET.self,
            url: "http://one:two@HOST/anything", settings: "auth: [three, four]",
            keywords: "auth=('three', 'four')"),
        netrc("auth, netrc", "netrc.test", "auth: netrc, "),
        netrc("auth, netrc in quotes", "quoted.test", "auth: netrc, "),
        netrc("netrc without being asked", "netrc.test", "", .netrcUnasked),
        netrc("a host that is not in the netrc file", "other.test", ""),
        RequestCase(
            name: "auth, digest", step: GET.self, settings: "auth: {digest: [user, pass]}",
            keywords: "auth=HTTPDigestAuth('user', 'pass')", differences: [.digestSpelling],
            answer: askingForDigest),
        RequestCase(
            name: "auth, digest of a POST", step: POST.self,
            settings: "{data: {a: 1}, auth: {digest: [user, pass]}}",
            keywords: "data={'a': 1}, auth=HTTPDigestAuth('user', 'pass')",
            differences: [.digestSpelling], answer: askingForDigest),
    ]

    /// A request to a host in the file `netrc`, sent through the server.
    private static func netrc(
        _ name: String, _ host: String, _ settings: String, _ differences: Difference...
    ) -> RequestCase {
        RequestCase(
            name: name, step: GET.self, url: "http://\(host)/",
            settings: "{\(settings)proxies: {http: SERVER}}",
            keywords: "proxies={'http': 'SERVER'}",
            differences: [.proxyConnection] + differences)
    }

    /// Sends a challenge in the old format, for which the response contains nothing random.
    private static let askingForDigest: LoopbackServer.Handler = { request in
        guard request.header("Authorization") == nil else { return .text("ok\n") }
        let challenge = #"Digest realm="here", nonce="0123456789", algorithm=MD5"#
        return .respond(status: 401, headers: [("WWW-Authenticate", challenge)])
    }
}
