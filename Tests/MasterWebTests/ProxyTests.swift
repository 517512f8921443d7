import HTTPTypes
import MasterKit
import MasterTesting
import NIOCore
import Testing

@testable import MasterWeb

/// The web server behind a proxy, also one with wrong settings, and the way to the login.
@Suite(.timeLimit(.minutes(1)))
struct ProxyTests {
    private static let builders = """
        builders: [{name: linux, steps: []}]
        schedulers:
          - schedulers.ForceScheduler: {name: force, builderNames: [linux]}
        """

    private static let prefixed = """
        buildbotURL: https://ci.example.org/ci/
        www:
          port: 0
          auth: {users: {alice: !Secret alice}}
        secrets: [secrets.Environment]

        """ + builders

    private static let secrets = ["alice": "wonderland-7"]
    private static let host = "ci.example.org"

    @Test func `links and cookies have the path of buildbotURL`() async throws {
        try await withWeb(Self.prefixed, secrets: Self.secrets) { web in
            let page = try await web.get("/", host: Self.host, "Accept: text/html")
            #expect(page.status == 200)
            for match in page.body.matches(of: /(?:href|src|data-socket|data-api)="([^"#]*)"/) {
                #expect(match.1.hasPrefix("/ci/"), "\(match.1)")
            }
        }
    }

    @Test func `a proxy that passes on the path of buildbotURL is told so`() async throws {
        try await withWeb(Self.prefixed, secrets: Self.secrets) { web in
            for path in ["/ci", "/ci/", "/ci/api/v2/builders", "/ci/builders/1"] {
                let answer = try await web.get(path, host: Self.host)
                #expect(answer.status == 404)
                #expect(answer.body.contains("a proxy in front must remove '/ci'"), "\(path)")
            }
            for path in ["/cinema", "/builders/9"] {
                let answer = try await web.get(path, host: Self.host)
                #expect(answer.status == 404)
                #expect(!answer.body.contains("proxy"), "\(path)")
            }
        }
    }

    @Test func `a proxy that changes the origin or drops 'Upgrade' is told so`() async throws {
        try await withWeb(Self.prefixed, secrets: Self.secrets) { web in
            let plain = try await web.get("/", host: Self.host, "Origin: http://ci.example.org")
            #expect(plain.status == 400)
            #expect(
                plain.body == "the origin 'http://ci.example.org' is not that of buildbotURL; use "
                    + "https://ci.example.org/ci/, or change buildbotURL or allowed_origins\n")
            let socket = try await web.get("/ws", host: Self.host)
            #expect(socket.status == 426)
            #expect(socket.body.contains("must pass on the headers 'Upgrade' and 'Connection'"))
        }
    }

    @Test(arguments: [
        ("127.0.0.1", "log in at the proxy to control the master: the header 'X-User' is missing"),
        (
            "10.0.0.1",
            "log in to control the master, through a proxy in 'trust': the header 'X-User' is not "
                + "believed from 127.0.0.1"
        ),
    ]) func `somebody without a name of a proxy is told why`(
        trusted: String, words: String
    ) async throws {
        let yaml =
            "www: {port: 0, auth: {remoteUserHeader: X-User, trust: [\(trusted)]}}\n"
            + Self.builders
        try await withWeb(yaml) { web in
            let call = #"{"jsonrpc":"2.0","id":1,"method":"force","params":{"builderid":"1"}}"#
            let header = trusted == "127.0.0.1" ? "X-Other: alice" : "X-User: alice"
            let answer = try await web.post(
                "/api/v2/forceschedulers/force", call, "Content-Type: application/json", header)
            #expect(answer.status == 403)
            #expect(
                try JSONValue(parsing: answer.body)["error"]?["message"] == .string(words))
        }
    }

    @Test func `masters on one host have cookies of their own`() async throws {
        let yaml =
            "www: {port: 0, auth: {users: {alice: !Secret alice}}}\n"
            + "secrets: [secrets.Environment]\n" + Self.builders
        try await withWeb(yaml, secrets: Self.secrets) { web in
            try await withWeb(yaml, secrets: Self.secrets) { other in
                var cookies: [String] = []
                for one in [web, other] {
                    let login = try await one.logIn("alice", "wonderland-7")
                    cookies.append(try #require(login.cookie))
                }
                let both = "Cookie: \(cookies.joined(separator: "; "))"
                for one in [web, other] {
                    #expect(try await one.get("/config", both).body.contains("alice"))
                }
                #expect(Set(cookies.map { $0.prefix { $0 != "=" } }).count == 2)
            }
        }
    }

    @Test func `live events end with the login`() async throws {
        let yaml =
            "www: {port: 0, auth: {users: {alice: !Secret alice}}, authz: {read: users}}\n"
            + "secrets: [secrets.Environment]\n" + Self.builders
        try await withWeb(yaml, secrets: Self.secrets) { web in
            let cookie = try #require(try await web.logIn("alice", "wonderland-7").cookie)
            try await web.connect().executeThenClose { inbound, outbound in
                let head = [
                    "GET /sse/listen/builds/*/finished HTTP/1.1", "Host: localhost:\(web.port)",
                    "Cookie: \(cookie)", "Connection: close",
                ]
                try await outbound.write(
                    ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
                var text = ""
                for try await part in inbound {
                    let before = text
                    text += String(buffer: part)
                    func isNew(_ word: String) -> Bool {
                        text.contains(word) && !before.contains(word)
                    }
                    if isNew("handshake\n") {
                        // Somebody who is not logged in ends nothing.
                        _ = try await web.get("/auth/logout")
                        try await web.build(reason: "test")
                    }
                    if isNew("\"finished\"") {
                        _ = try await web.get("/auth/logout", "Cookie: \(cookie)")
                    }
                }
                #expect(text.contains("\"finished\""))
            }
        }
    }

    @Test(arguments: [
        ("::ffff:127.0.0.1", "127.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::1"),
    ]) func `an address is the same however it was listened on`(
        address: String, name: String
    ) throws {
        let head = HTTPRequest(method: .get, scheme: "http", authority: "a", path: "/")
        let request = try WebRequest(
            head, from: try SocketAddress(ipAddress: address, port: 80))
        #expect(request.remote == name)
    }

    @Test func `a login leads back to the page that it was asked for on`() async throws {
        try await withWeb(Self.prefixed, secrets: Self.secrets) { web in
            for (referer, target) in [
                "https://ci.example.org/ci/builders/1?offset=50": "/ci/builders/1?offset=50",
                "https://ci.example.org/ci/auth/login": "", "nonsense": "",
            ] {
                let page = try await web.get(
                    "/auth/login", host: Self.host, "Referer: \(referer)")
                #expect(page.body.contains("name=\"redirect\" value=\"\(target)\""), "\(referer)")
            }
        }
        let members = Self.prefixed.replacing(
            "  port: 0\n", with: "  port: 0\n  authz: {read: users}\n")
        try await withWeb(members, secrets: Self.secrets) { web in
            let page = try await web.get(
                "/?tag=a%26b&q=%C3%A9", host: Self.host, "Accept: text/html")
            let target = "/ci/?tag=a%26b&q=%C3%A9"
            #expect(page.header("Location") == "/ci/auth/login?redirect=" + target.percentEncoded)
            let button = try await web.send(
                """
                POST /requests/1/cancel HTTP/1.1\r
                Host: \(Self.host)\r
                Accept: text/html\r
                Referer: https://ci.example.org/ci/requests?offset=50\r
                Content-Length: 0\r
                Connection: close\r\n\r\n
                """)
            let origin = "/ci/requests?offset=50".percentEncoded
            #expect(button.header("Location") == "/ci/auth/login?redirect=" + origin)
        }
        let yaml = Self.prefixed.replacing("buildbotURL: https://ci.example.org/ci/\n", with: "")
        try await withWeb(yaml, secrets: Self.secrets) { web in
            let wrong = try await web.logIn("ali%22ce", "wrong")
            #expect(wrong.status == 401)
            #expect(wrong.body.contains("value=\"ali&quot;ce\""))
            let cookie = try #require(try await web.logIn("alice", "wonderland-7").cookie)
            let missing = try await web.get(
                "/builders/9", "Accept: text/html", "Cookie: \(cookie)")
            #expect(missing.status == 404)
            #expect(missing.body.contains("There is no such page."))
            #expect(missing.body.contains("Log out"))
        }
    }
}
