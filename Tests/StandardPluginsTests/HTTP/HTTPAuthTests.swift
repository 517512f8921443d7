import MasterKit
import MasterTesting
import StandardPlugins
import Testing

struct HTTPAuthTests {
    @Test(arguments: [
        ("[user, pass word]", "Basic dXNlcjpwYXNzIHdvcmQ="),
        ("{basic: [us é, 123]}", "Basic dXMgw6k6MTIz"),
        ("{bearer: t0k}", "Bearer t0k"),
        ("{bearer: !Secret token}", "Bearer s3cr3t-value"),
        ("[!Property who, !Secret token]", "Basic bWU6czNjcjN0LXZhbHVl"),
    ])
    func `auth is sent as a header`(_ auth: String, _ header: String) async throws {
        let run = try await StepRun.of(
            GET.self, "{url: SERVER/, auth: \(auth)}", properties: ["who": "me"],
            secrets: ["token": "s3cr3t-value"])

        #expect(try run.request.header("Authorization") == header)
        #expect(run.log("log")?.contains("Authorization: <HIDDEN>") == true)
    }

    @Test func `digest answers the challenge of the server`() async throws {
        let run = try await StepRun.of(GET.self, "{url: SERVER/, auth: {digest: [u, p]}}") {
            guard $0.header("Authorization") == nil else { return .text("ok\n") }
            let challenge = #"Digest realm="r", nonce="n", qop="auth", algorithm=MD5"#
            return .text("no\n", status: 401, headers: [("WWW-Authenticate", challenge)])
        }

        #expect(run.results == .success)
        let answer = try #require(run.requests.last?.header("Authorization"))
        #expect(answer.hasPrefix("Digest "))
        #expect(answer.contains(#"username="u""#))
    }

    @Test func `credentials do not follow a redirect to another host`() async throws {
        try await withLoopbackServer { other in
            let run = try await StepRun.of(
                GET.self,
                """
                url: SERVER/
                auth: {bearer: t0k}
                headers: {X-Token: !Secret token, X-Open: seen}
                """, secrets: ["token": "s3cr3t-value"]
            ) { _ in .redirect(302, to: other.url + "/landed") }

            #expect(run.results == .success)
            #expect(try run.request.header("X-Token") == "s3cr3t-value")
            let landed = try #require(other.requests.first)
            #expect(landed.header("Authorization") == nil)
            #expect(landed.header("X-Token") == nil)
            #expect(landed.header("X-Open") == "seen")
        }
    }
}
