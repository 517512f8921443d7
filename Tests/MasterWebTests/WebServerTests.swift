import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

@Suite struct WebServerTests {
    private static let builders = """
        builders:
          - name: linux
            steps: [{steps.SetProperty: {property: text, value: "<script>alert(1)</script>"}}]
        schedulers:
          - schedulers.ForceScheduler: {name: force, builderNames: [linux]}
        """

    private static let open = "www: 0\n" + builders

    private static let users = """
        www: {port: 0, auth: {users: {alice: !Secret alice, bob: !Secret bob}}, \
        authz: {control: [alice]}}
        secrets: [secrets.Environment]

        """ + builders

    private static let secrets = ["alice": "wonderland-7", "bob": "builder-99"]

    // MARK: Serving

    @Test func `the data API, the configuration and pages are served`() async throws {
        try await withWeb(Self.open) { web in
            #expect(try await web.get("/healthz").body == "ok\n")
            let builders = try await web.get("/api/v2/builders", "Accept: application/json")
            #expect(builders.status == 200)
            #expect(try JSONValue(parsing: builders.body)["builders"]?[0]?["name"] == "linux")
            let config = try JSONValue(parsing: try await web.get("/config").body)
            #expect(config["auth"]?["name"] == "NoAuth")
            #expect(config["user"]?["anonymous"] == true)
            #expect(config["buildbotURL"] == .string("http://localhost:\(web.port)/"))
            #expect(try await web.get("/config.js").status == 404)
            #expect(try await web.get("/").body.contains("linux"))
            #expect(try await web.get("/ws").status == 426)
            #expect(try await web.get("/avatar?email=ann%40example.org").body.contains(">A</text>"))
            #expect(try await web.get("/metrics").body.contains("buildmaster_requests_pending"))
        }
    }

    @Test func `answers say how browsers must treat them`() async throws {
        try await withWeb(Self.open) { web in
            for path in ["/", "/api/v2/builders", "/config", "/nothing", "/style.css", "/metrics"] {
                let answer = try await web.get(path)
                #expect(answer.head.contains("X-Content-Type-Options: nosniff"), "\(path)")
                let policy = answer.header("Content-Security-Policy") ?? ""
                #expect(policy.contains("default-src 'none'"), "\(path)")
                #expect(!policy.contains("inline"), "\(path)")
            }
        }
    }

    @Test func `texts of a build are escaped on its page`() async throws {
        try await withWeb(Self.open) { web in
            try await web.build(reason: "<img src=x onerror=alert(2)>")
            let page = try await web.get("/builders/1/builds/1")
            #expect(page.status == 200)
            #expect(page.body.contains("&lt;img src=x"))
            #expect(page.body.contains("&lt;script&gt;alert(1)"))
            #expect(!page.body.contains("<img"))
            #expect(!page.body.contains("<script>"))
            #expect(page.body.utf8.count < 60_000)
            for path in [
                "/builders/1", "/requests", "/workers", "/changes", "/schedulers", "/deliveries",
                "/force/force",
            ] {
                #expect(try await web.get(path).status == 200, "\(path)")
            }
            for path in ["/builders/9", "/builders/1/builds/9", "/logs/99", "/force/none", "/x/y"] {
                #expect(try await web.get(path).status == 404, "\(path)")
            }
        }
    }

    @Test func `a change has a page, and its authors are named where it was built`() async throws {
        try await withWeb(Self.open) { web in
            let files = (1...300).map { "src/<b>\($0)" }
            let change = try await web.master.addChange(
                Change(
                    author: "<i>Ann</i> <ann@example.org>", committer: "<i>Com</i>",
                    comments: "<script>x</script>\nmore", files: files,
                    sourceStamp: SourceStamp(
                        branch: "<u>main", revision: "<b>0123456789abcdef", repository: "<u>repo",
                        project: "<u>", codebase: "<u>"),
                    revlink: "javascript:alert(1)", category: "<u>cat", when: .now))
            let page = try await web.get("/changes/1")
            #expect(page.status == 200)
            #expect(page.body.contains("No build has been made of it yet."))
            #expect(page.body.contains("src/&lt;b&gt;200<"))
            #expect(page.body.contains("300 files"))
            #expect(!page.body.contains("201<"))
            #expect(page.body.utf8.count < 60_000)
            var request = BuildsetRequest(reason: "test", sourceStamps: [change.sourceStamp])
            request.changes = [change]
            request.properties.set("owner", "<u>Olaf", source: "test")
            _ = try await web.master.wait(for: web.master.submit(request))
            let built = try await web.get("/changes/1").body
            #expect(built.contains("linux #1</a>"))
            let build = try await web.get("/builders/1/builds/1").body
            #expect(
                build.contains("<dd>&lt;i&gt;Ann&lt;/i&gt; &lt;ann@example.org&gt;, &lt;u&gt;Olaf"))
            #expect(build.contains("href=\"/changes/1\""))
            let list = try await web.get("/changes").body
            for text in [page.body, built, build, list] {
                for tag in ["<script>", "<i>", "<u>", "<b>", "href=\"javascript"] {
                    #expect(!text.contains(tag), "\(tag)")
                }
            }
            #expect(try await web.get("/changes/2").status == 404)
            #expect(try await web.get("/changes/x").status == 404)
        }
    }

    // MARK: Where requests come from

    @Test func `other hosts and origins are refused`() async throws {
        try await withWeb(Self.open) { web in
            #expect(try await web.get("/", host: "evil.example").status == 400)
            #expect(try await web.get("/", host: "localhost:1").status == 400)
            #expect(try await web.get("/", host: "127.0.0.1:\(web.port)").status == 200)
            #expect(try await web.get("/", "Host: evil.example").status == 400)
            for origin in ["http://evil.example", "null", "https://localhost:\(web.port)"] {
                for path in ["/", "/api/v2/builders", "/sse/listen", "/ws"] {
                    let answer = try await web.get(path, "Origin: \(origin)")
                    #expect(answer.status == 400, "\(origin) \(path)")
                }
            }
            let own = try await web.get(
                "/api/v2/builders", "Origin: http://localhost:\(web.port)")
            #expect(own.status == 200)
            #expect(
                own.header("Access-Control-Allow-Origin") == "http://localhost:\(web.port)")
        }
    }

    @Test func `without 'auth' a proxied request can only read`() async throws {
        try await withWeb(Self.open) { web in
            let force = #"{"jsonrpc":"2.0","id":1,"method":"force","params":{"builderid":"1"}}"#
            let json = "Content-Type: application/json"
            for header in ["X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "Via: 1.1 proxy"] {
                let answer = try await web.post(
                    "/api/v2/forceschedulers/force", force, json, header)
                #expect(answer.status == 403, "\(header)")
                let page = try await web.get("/builders/1", header)
                #expect(!page.body.contains("/force/"))
            }
            let answer = try await web.post("/api/v2/forceschedulers/force", force, json)
            #expect(answer.status == 200, "\(answer.body)")
            let simple = try await web.post(
                "/api/v2/forceschedulers/force", force, "Content-Type: text/plain")
            #expect(simple.status == 400)
        }
    }

    @Test func `a connection ends with a request that a proxy has passed on`() async throws {
        try await withWeb(Self.open) { web in
            for header in ["X-Forwarded-For: 10.0.0.1", "Forwarded: for=10.0.0.1", "Via: 1.1 p"] {
                // Otherwise the answer would not end.
                let answer = try await web.send(
                    "GET /healthz HTTP/1.1\r\nHost: localhost:\(web.port)\r\n\(header)\r\n\r\n")
                #expect(answer.status == 200)
                #expect(answer.header("Connection") == "close")
            }
        }
    }

    // MARK: Users

    @Test func `users log in, control what they may, and log out`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            let stop = #"{"jsonrpc":"2.0","id":1,"method":"stop","params":{}}"#
            let json = "Content-Type: application/json"
            #expect(try await web.post("/api/v2/builds/1", stop, json).status == 403)
            let wrong = try await web.logIn("alice", "wrong")
            #expect(wrong.status == 401)
            #expect(wrong.header("Set-Cookie") == nil)
            let login = try await web.logIn("alice", "wonderland-7")
            #expect(login.status == 303)
            let cookie = try #require(login.cookie)
            #expect(login.header("Set-Cookie")?.contains("HttpOnly; SameSite=Lax") == true)
            #expect(try await web.get("/", "Cookie: \(cookie)").body.contains("alice"))
            #expect(
                try await web.post("/api/v2/builds/1", stop, json, "Cookie: \(cookie)").status
                    != 403)
            let bob = try #require(try await web.logIn("bob", "builder-99").cookie)
            #expect(
                try await web.post("/api/v2/builds/1", stop, json, "Cookie: \(bob)").status == 403)
            let basic = Data("alice:wonderland-7".utf8).base64EncodedString()
            let user = try await web.get("/config", "Authorization: Basic \(basic)")
            #expect(try JSONValue(parsing: user.body)["user"]?["username"] == "alice")
            _ = try await web.get("/auth/logout", "Cookie: \(cookie)")
            #expect(
                try await web.post("/api/v2/builds/1", stop, json, "Cookie: \(cookie)").status
                    == 403)
        }
    }

    @Test func `a login ends with the password that it was made with`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            let alice = try #require(try await web.logIn("alice", "wonderland-7").cookie)
            let bob = try #require(try await web.logIn("bob", "builder-99").cookie)
            let (same, _) = try web.configuration(Self.users)
            _ = try await web.master.reconfigure(
                to: same, SecretValues(["alice": "looking-glass", "bob": "builder-99"]))
            #expect(try await !web.get("/config", "Cookie: \(alice)").body.contains("alice"))
            #expect(try await web.get("/config", "Cookie: \(bob)").body.contains("bob"))
            #expect(try await web.logIn("alice", "wonderland-7").status == 401)
        }
    }

    @Test func `a login leads to a page of this server only`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            for target in [
                "//evil.example/", "https://evil.example/", "/\\evil.example", "/a\r\nb",
            ] {
                let body =
                    "username=alice&password=wonderland-7&redirect=" + target.percentEncoded
                let login = try await web.post(
                    "/auth/login", body, "Content-Type: application/x-www-form-urlencoded")
                #expect(login.header("Location") == "/", "\(target)")
            }
        }
    }

    @Test func `too many wrong passwords make an address wait`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            for _ in 1...10 { #expect(try await web.logIn("alice", "wrong").status == 401) }
            let refused = try await web.logIn("alice", "wonderland-7")
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") != nil)
        }
    }

    @Test func `a form without the token of its page does nothing`() async throws {
        try await withWeb(Self.users, secrets: Self.secrets) { web in
            let alice = try #require(try await web.logIn("alice", "wonderland-7").cookie)
            let bob = try #require(try await web.logIn("bob", "builder-99").cookie)
            let page = try await web.get("/force/force?builder=1", "Cookie: \(alice)").body
            let token = try #require(page.firstMatch(of: /name="token" value="([0-9a-f]+)"/)?.1)
            let form = "Content-Type: application/x-www-form-urlencoded"
            for (body, cookie) in [
                ("builderid=1", alice), ("builderid=1&token=\(token)", bob),
                ("builderid=1&token=\(token.dropLast())0x", alice), ("builderid=1&token=", "a=b"),
            ] {
                let answer = try await web.post(
                    "/force/force", body, form, "Cookie: \(cookie)")
                #expect(answer.status == 403, "\(body)")
            }
            let answer = try await web.post(
                "/force/force", "builderid=1&token=\(token)", form, "Cookie: \(alice)")
            #expect(answer.status == 303, "\(answer.body)")
        }
    }

    // MARK: Limits

    @Test func `requests that are too large or ambiguous are refused`() async throws {
        try await withWeb(Self.open) { web in
            let host = "Host: localhost:\(web.port)\r\n"
            let long = String(repeating: "a", count: 40_000)
            #expect(
                try await web.send("GET / HTTP/1.1\r\n\(host)X: \(long)\r\n\r\n").status != 200)
            let body = try await web.send(
                "POST /api/v2/builds/1 HTTP/1.1\r\n\(host)Content-Length: 99999999\r\n\r\n{")
            #expect(body.status == 413)
            let smuggled = try await web.send(
                "POST /api/v2/builds/1 HTTP/1.1\r\n\(host)Content-Length: 5\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\(host)\r\n")
            #expect(smuggled.status == 400)
            #expect(!smuggled.body.contains("HTTP/1.1 200"))
            #expect(try await web.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").status == 400)
            #expect(try await web.get("/%zz").status == 400)
        }
    }

    // MARK: Buildbot's own page

    @Test func `only regular files of 'ui' are served`() async throws {
        try await withTemporaryFolder { folder in
            try folder.write("secret", to: "secret.txt")
            try folder.write("<html>stock</html>", to: "ui/index.html")
            try folder.write("let a", to: "ui/assets/a.js")
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/ui/link.txt",
                withDestinationPath: folder.path + "/secret.txt")
            try FileManager.default.createSymbolicLink(
                atPath: folder.path + "/ui/out", withDestinationPath: folder.path)
            let yaml = "www: {port: 0, ui: \(folder.path)/ui}\n" + Self.builders
            try await withWeb(yaml, Self.checkFiles)
        }
    }

    private static func checkFiles(_ web: Web) async throws {
        #expect(try await web.get("/").body == "<html>stock</html>")
        #expect(try await web.get("/assets/a.js").body == "let a")
        for path in [
            "/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
            "/link.txt", "/out/secret.txt", "/assets", "//index.html",
        ] {
            #expect(try await web.get(path).status == 404, "\(path)")
        }
        #expect(try await web.get("/dashboard/").body.contains("linux"))
    }

    // MARK: Live events

    @Test func `a WebSocket gets the events that it has asked for`() async throws {
        try await withWeb(Self.open) { web in
            let sent = [
                #"{"cmd":"ping","_id":1}"#,
                #"{"cmd":"startConsuming","path":"builds/*/*","_id":2}"#,
                #"{"cmd":"stopConsuming","path":"steps/*/*","_id":3}"#, #"{"cmd":"nope","_id":4}"#,
                #"{"_id":5}"#, "no json",
            ]
            try await web.webSocket { socket in
                for text in sent { try await socket.send(text) }
                #expect(try await socket.receive() == #"{"msg":"pong","code":200,"_id":1}"#)
                #expect(try await socket.receive() == #"{"msg":"OK","code":200,"_id":2}"#)
                #expect(
                    try await socket.receive()
                        == #"{"error":"path was not consumed 'steps/*/*'","code":400,"_id":3}"#)
                #expect(try await socket.receive()?.contains(#""code":404"#) == true)
                #expect(try await socket.receive()?.contains("no 'cmd'") == true)
                #expect(try await socket.receive()?.contains("not valid JSON") == true)
                try await web.build(reason: "live")
                #expect(
                    try await socket.receive()?.hasPrefix(#"{"k":"builds/1/new","m":{"#) == true)
                #expect(
                    try await socket.receive()?.hasPrefix(#"{"k":"builds/1/finished","m":{"#)
                        == true)
            }
            let upgrade = [
                "Upgrade: websocket\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==",
                "Sec-WebSocket-Version: 13", "Host: localhost:\(web.port)",
                "Connection: Upgrade",
            ].joined(separator: "\r\n")
            let foreign = try await web.send(
                "GET /ws HTTP/1.1\r\n\(upgrade)\r\nOrigin: http://evil.example\r\n\r\n")
            #expect(foreign.status == 400)
            // Any other request that asks for another protocol is answered.
            #expect(try await web.send("GET /healthz HTTP/1.1\r\n\(upgrade)\r\n\r\n").status == 200)
        }
    }

    @Test func `a client that falls behind is disconnected`() async throws {
        let hub = LiveHub(EventBus())
        let client = hub.connect()
        for _ in 0...LiveClient.bound { client.send(.heartbeat) }
        #expect(client.reason?.contains("too slowly") == true)
        var count = 0
        for await messages in client.batches { count += messages.count }
        #expect(count == LiveClient.bound)
        hub.disconnect(client)
    }

    @Test func `nothing is kept for a client that has left`() {
        let hub = LiveHub(EventBus())
        weak var left: LiveClient?
        do {
            let client = hub.connect()
            left = client
            hub.disconnect(client)
            // A request '/sse/add' may have found it before.
            _ = hub.add(["builders", "*", "*"], to: client)
        }
        #expect(left == nil)
    }

    // MARK: Reconfiguration

    @Test func `a port in use fails the reconfiguration, and the old page stays`() async throws {
        try await withWeb(Self.open) { web in
            try await withWeb(Self.open) { other in
                let (wanted, secrets) = try web.configuration(
                    "www: \(other.port)\n" + Self.builders)
                let error = await #expect(throws: (any Error).self) {
                    try await web.master.reconfigure(to: wanted, secrets)
                }
                #expect("\(error.map { "\($0)" } ?? "")".contains("the port is in use"))
            }
            #expect(try await web.get("/").status == 200)
            // The same port is handed over.
            let (same, secrets) = try web.configuration("title: New\n" + Self.open)
            _ = try await web.master.reconfigure(to: same, secrets)
            #expect(try await web.get("/").body.contains("– New"))
            let (without, none) = try web.configuration(Self.builders)
            _ = try await web.master.reconfigure(to: without, none)
            #expect(web.server.address == nil)
        }
    }
}
