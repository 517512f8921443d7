import FoundationEssentials
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

/// Change hooks over real sockets.
@Suite(.timeLimit(.minutes(2)))
struct ChangeHookTests {
    @Test func `forged, missing and wrong proofs are refused, and nothing is stored`()
        async throws
    {
        try await withHooks { web in
            let bodies = [
                "github": SampleHooks.gitHubPush(), "gitea": SampleHooks.gitHubPush(),
                "gitlab": SampleHooks.gitLabPush("push", "refs/heads/main"),
                "bitbucketcloud": SampleHooks.cloudPush, "bitbucketserver": SampleHooks.serverPush,
                "base": "author=x&revision=1",
            ]
            for (dialect, body) in bodies.sorted(by: { $0.key < $1.key }) {
                let path = "/change_hook/\(dialect)"
                let type = dialect == "base" ? SampleHooks.form : "application/json"
                let right = SampleHooks.request(path, body, type: type)
                let status = dialect == "base" ? 401 : 403
                let wrong = try await web.send(
                    SampleHooks.request(path, body, type: type, secret: "guessed-secret"))
                #expect(wrong.status == status, "\(dialect): \(wrong.body)")
                let proof = ["x-hub-signature", "x-gitea-s", "x-gitlab-t", "authorization"]
                let missing = right.split(separator: "\r\n", omittingEmptySubsequences: false)
                    .filter { line in !proof.contains { line.lowercased().hasPrefix($0) } }
                    .joined(separator: "\r\n")
                #expect(try await web.send(missing).status == status, "\(dialect)")
                // The body was changed on its way.
                if dialect != "base", dialect != "gitlab" {
                    let forged = right.replacing("ann", with: "eve")
                    #expect(try await web.send(forged).status == 403, "\(dialect)")
                }
                let get = right.replacing("POST /", with: "GET /")
                #expect(try await web.send(get).status == 405, "\(dialect)")
            }
            // SHA-1 alone is not enough.
            let old = SampleHooks.request("/change_hook/github", bodies["github"] ?? "")
                .replacing("X-Hub-Signature-256: sha256=", with: "X-Hub-Signature: sha1=")
            #expect(try await web.send(old).status == 403)
            #expect(try await web.changes().isEmpty)
        }
    }

    @Test func `a request that comes again adds nothing, also under another event`() async throws {
        try await withHooks { web in
            let push = SampleHooks.request("/change_hook/github", SampleHooks.gitHubPush())
            #expect(try await web.send(push).body == "2 changes found\n")
            let again = try await web.send(push)
            #expect(again.status == 200)
            #expect(
                again.body
                    == "no change found: this request was received before, as change 1, 2\n")
            // The query is not signed.
            let other = push.replacing("/github HTTP", with: "/github?a=b HTTP")
            #expect(try await web.send(other).body.contains("received before"))
            let form = SampleHooks.request(
                "/change_hook/base", "author=x&revision=1", type: SampleHooks.form)
            for _ in 1...2 { #expect(try await web.send(form).status == 200) }
            #expect(try await web.changes().count == 3)
            // Without a revision, each request is another change.
            let plain = SampleHooks.request(
                "/change_hook/base", "author=x&branch=b", type: SampleHooks.form)
            for _ in 1...2 { #expect(try await web.send(plain).body == "1 change found\n") }
            #expect(try await web.changes().count == 5)
            // Scripts can also write fields in the address.
            for revision in 2...3 {
                let other = SampleHooks.request(
                    "/change_hook/base?revision=\(revision)", "author=x", type: SampleHooks.form)
                #expect(try await web.send(other).body == "1 change found\n")
                #expect(try await web.send(other).body.contains("received before"))
            }
        }
    }

    @Test func `wrong requests are answered with a sentence`() async throws {
        let cases: [(String, Int, String)] = [
            (SampleHooks.request("/change_hook/github", "{"), 400, "the payload is not valid JSON"),
            (SampleHooks.request("/change_hook/github", "[]"), 400, "must be a JSON object"),
            (
                SampleHooks.request("/change_hook/github", "{}"), 400,
                "the payload has no text 'ref'"
            ),
            (
                SampleHooks.request("/change_hook/github", #"{"ref": "refs/x/y"}"#), 200,
                "no change found: 'refs/x/y' is neither a branch nor a tag"
            ),
            (
                SampleHooks.request(
                    "/change_hook/github", #"{"ref": "refs/heads/a", "commits": 7}"#),
                200, "the push has no commits"
            ),
            (
                SampleHooks.request("/change_hook/github", "{}", type: "text/plain"), 415,
                "application/json"
            ),
            (
                SampleHooks.request("/change_hook/github", "a=b", type: SampleHooks.form), 400,
                "does not begin with the field 'payload'"
            ),
            (
                SampleHooks.request("/change_hook/base", "a=b", type: SampleHooks.form), 400,
                "no field of a change"
            ),
            (
                SampleHooks.request(
                    "/change_hook/base", "author=a&when=soon", type: SampleHooks.form), 400,
                "'when_timestamp' must be a number"
            ),
            (
                SampleHooks.request(
                    "/change_hook/base", "branch=\(String(repeating: "b", count: 5000))",
                    type: SampleHooks.form), 422, "the branch of a change has 5000 bytes"
            ),
            (
                SampleHooks.request(
                    "/change_hook/github",
                    SampleHooks.pullRequest.replacing(
                        "\"sha\": \"ppp\", \"repo\": {\"full_name\": \"own",
                        with: "\"sha\": \"ppp\", \"repo\": {\"full_name\": \"eve"),
                    event: "pull_request"), 200, "set 'forks: true'"
            ),
        ]
        try await withHooks { web in
            for (request, status, words) in cases {
                let answer = try await web.send(request)
                #expect(answer.status == status, "\(answer.body)")
                #expect(answer.body.contains(words), "\(answer.body)")
            }
            #expect(try await web.changes().isEmpty)
            let large =
                "POST /change_hook/base HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n"
                + "Authorization: Bearer \(SampleHooks.secret)\r\n\r\n"
            #expect(try await web.send(large).status == 413)
            // Other paths still check the host.
            #expect(try await web.get("/api/v2/changes", host: "evil.example").status == 400)
        }
    }

    @Test func `many commits are bounded, and newest-first lists are turned`() async throws {
        func commit(_ id: Int) -> String {
            #"{"id": "c\#(id)", "message": "m\#(id)", "author": {"name": "A\nB"}}"#
        }
        func push(_ commits: [String], _ after: String) -> String {
            """
            {"ref": "refs/heads/main", "before": "1", "after": "\(after)",
            "commits": [\(commits.joined(separator: ","))],
            "repository": {"full_name": "o/r", "html_url": "http://g/o/r"}}
            """
        }
        try await withHooks { web in
            let many = push((1...1500).map(commit), "c1500")
            let answer = try await web.send(SampleHooks.request("/change_hook/github", many))
            #expect(answer.body == "1000 changes found; 500 older ones were left out\n")
            let turned = push((1...3).reversed().map(commit), "c3")
            #expect(
                try await web.send(SampleHooks.request("/change_hook/gitea", turned)).body
                    == "3 changes found\n")
            let found = try await web.changes(from: 1000)
            #expect(found.map { $0["revision"] } == ["c3", "c2", "c1", "c1500"])
            #expect(found[0]["author"] == "A B")
        }
    }

    @Test(
        arguments: [
            ("{github: {}}", "'github' needs 'secret'"),
            ("{github: true}", "must be a mapping such as {secret: !Secret hook}, not true"),
            ("{github: {insecure: true}}", nil),
            ("{github: {secret: abc}}", "must not be in the file; write !Secret NAME"),
            ("{github: {secret: !Secret hook, insecure: true}}", "keep one"),
            ("{base: {secret: !Secret hook, forks: true}}", "'base' has no pull requests"),
            ("{gitlab: {secret: !Secret hook, pullrequest_ref: head}}", "is for 'github'"),
            ("{bitbucket: {}}", "write 'bitbucketcloud' or 'bitbucketserver'"),
            ("{github: {secret: !Secret hook, strict: true}}", "signatures are always required"),
        ] as [(String, String?)])
    func `a hook without a secret is an error of the file`(
        _ hooks: String, _ words: String?
    ) async throws {
        let yaml = """
            www: {port: 0, change_hook_dialects: \(hooks)}
            secrets: [secrets.Environment]
            steps: []
            """
        let found = try await withTemporaryFolder { folder in
            try folder.write(yaml, to: "master.yaml")
            return MasterConfiguration.load(
                path: folder.path + "/master.yaml", registry: .standard,
                environment: ["hook": "s3cret-of-hooks"]
            ).diagnostics.map(\.message)
        }
        if let words {
            #expect(found.contains { $0.contains(words) }, "\(found)")
        } else {
            #expect(found == [])
        }
    }
}
