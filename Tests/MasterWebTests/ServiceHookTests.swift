import Logging
import MasterKit
import MasterTesting
import NIOCore
import Testing

@testable import MasterWeb

/// What services and their administrators see of change hooks beside pushes that are right.
@Suite(.timeLimit(.minutes(2)))
struct ServiceHookTests {
    @Test func `a form of Gitea has the signature of its payload`() async throws {
        let push = SampleHooks.gitHubPush()
        let form = "payload=\(push.percentEncoded)"
        let signedForm = SampleHooks.request("/change_hook/gitea", form, type: SampleHooks.form)
        let ofPayload = SampleHooks.signature(push)
        let signedPayload = signedForm.replacing(SampleHooks.signature(form), with: ofPayload)
        try await withHooks { web in
            let refused = try await web.send(signedForm)
            #expect(refused.status == 403)
            #expect(try await web.send(signedPayload).body == "2 changes found\n")
            let forged = signedPayload.replacing("ann%40e.org", with: "eve%40e.org")
            #expect(try await web.send(forged).status == 403)
            // The same signature is also that of other forms, and of the payload alone.
            let longer = SampleHooks.request(
                "/change_hook/gitea", form + "&again=1", type: SampleHooks.form
            ).replacing(SampleHooks.signature(form + "&again=1"), with: ofPayload)
            for replay in [longer, SampleHooks.request("/change_hook/gitea", push)] {
                #expect(try await web.send(replay).body.contains("received before, as change 1, 2"))
            }
        }
    }

    @Test func `signed JSON is not taken for a form`() async throws {
        let title = "x&payload=\(SampleHooks.gitHubPush().percentEncoded)&y"
        let opened = SampleHooks.pullRequest.replacing("\"T\"", with: "\"\(title)\"")
        #expect(opened.contains(title))
        try await withHooks { web in
            for dialect in ["github", "gitea"] {
                let answer = try await web.send(
                    SampleHooks.request("/change_hook/\(dialect)", opened, type: SampleHooks.form))
                #expect(answer.status == 400)
                #expect(answer.body == "the form does not begin with the field 'payload'\n")
            }
            #expect(try await web.changes().isEmpty)
        }
    }

    @Test func `a test of Bitbucket Server needs no signature, anything else does`() async throws {
        let test = SampleHooks.request(
            "/change_hook/bitbucketserver", #"{"test": true}"#, event: "diagnostics:ping")
        let unsigned = Self.unsigned(test)
        try await withHooks { web in
            #expect(try await web.send(test).body == "no change found: the hook works\n")
            let answer = try await web.send(unsigned)
            #expect(answer.status == 200)
            #expect(answer.body.contains("does not sign its test"))
            let push = SampleHooks.request("/change_hook/bitbucketserver", SampleHooks.serverPush)
            #expect(try await web.send(Self.unsigned(push)).status == 403)
            let wrong = test.replacing("true", with: "null")
            #expect(try await web.send(wrong).status == 403)
            let other = unsigned.replacing("/bitbucketserver", with: "/bitbucketcloud")
            #expect(try await web.send(other).status == 403)
            #expect(try await web.changes().isEmpty)
        }
    }

    private static func unsigned(_ request: String) -> String {
        request.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("X-Hub-Signature") }.joined(separator: "\r\n")
    }

    @Test func `answers name what is missing, and where`() async throws {
        let cloud = "/change_hook/bitbucketcloud"
        let server = "/change_hook/bitbucketserver"
        let cases: [(String, Int, String)] = [
            (SampleHooks.request(cloud, "{}"), 400, "the payload has no list 'push.changes'"),
            (
                SampleHooks.request(cloud, #"{"push": {"changes": []}}"#), 200,
                "no change found: the push has no changes"
            ),
            (
                SampleHooks.request(cloud, #"{"push": {"changes": [{"new": null}]}}"#), 200,
                "no change found: a branch or a tag was deleted"
            ),
            (
                SampleHooks.request(server, "{}", event: "repo:refs_changed"), 400,
                "the payload has no text 'repository.project.key'"
            ),
            (
                SampleHooks.request(
                    "/change_hook/gitlab",
                    SampleHooks.mergeRequest(#""action": "open""#)
                        .replacing("\"mmm\"", with: "null")), 400,
                "the payload has no text 'object_attributes.last_commit.id'"
            ),
            (
                SampleHooks.request(
                    "/change_hook/github",
                    SampleHooks.gitHubPush().replacing(#""id": "aaa1""#, with: #""id": 7"#)), 400,
                "the payload has no text 'commits.0.id'"
            ),
            (
                SampleHooks.request("/change_hook/github", "{}").replacing(
                    "Connection:", with: "Content-Encoding: gzip\r\nConnection:"), 415,
                "the body has the encoding 'gzip'; send it without Content-Encoding"
            ),
            (
                SampleHooks.request(
                    "/change_hook/base", "author=%ff&branch=b", type: SampleHooks.form), 400,
                "the form is wrongly encoded"
            ),
            (
                "POST /change_hook/base HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n"
                    + "Authorization: Bearer \(SampleHooks.secret)\r\n\r\n", 413,
                "the body has more than 25 MiB"
            ),
        ]
        try await withHooks { web in
            for (request, status, words) in cases {
                let answer = try await web.send(request)
                #expect(answer.status == status, "\(answer.body)")
                #expect(answer.body.contains(words), "\(answer.body)")
            }
            #expect(try await web.changes().isEmpty)
        }
    }

    @Test func `empty fields of a script are fields that it does not send`() async throws {
        let form = SampleHooks.request(
            "/change_hook/base",
            "author=x&branch=&revision=&when=&files=&properties=&category=&revlink=",
            type: SampleHooks.form)
        try await withHooks { web in
            // Without a revision, each request is another change.
            for _ in 1...2 {
                let answer = try await web.send(form)
                #expect(answer.body == "1 change found\n")
            }
            let found = try await web.changes()
            #expect(found.count == 2)
            for field in ["branch", "revision", "category", "revlink"] {
                #expect(found[0][field] == .null, "\(field)")
            }
        }
    }

    @Test func `pull requests from other repositories of each service are not built`()
        async throws
    {
        let server = """
            {"actor": {"displayName": "Eve"}, "pullRequest": {"id": 3, "title": "T",
            "fromRef": {"latestCommit": "ccc",
            "repository": {"slug": "repo", "project": {"key": "~EVE"}}},
            "toRef": {"repository": {"slug": "repo", "project": {"key": "CI"}}}}}
            """
        let cloud = """
            {"actor": {"display_name": "Eve"}, "pullrequest": {"id": 3, "title": "T",
            "source": {"repository": {"full_name": "eve/repo"}},
            "destination": {"repository": {"full_name": "own/repo"}}}}
            """
        let gitLab = SampleHooks.mergeRequest(#""action": "open""#)
            .replacing("\"source_project_id\": 1", with: "\"source_project_id\": 2")
        let gitea = SampleHooks.pullRequest.replacing(
            "\"sha\": \"ppp\", \"repo\": {\"full_name\": \"own",
            with: "\"sha\": \"ppp\", \"repo\": {\"full_name\": \"eve")
        let requests = [
            SampleHooks.request(
                "/change_hook/bitbucketserver", server, event: "pr:from_ref_updated"),
            SampleHooks.request("/change_hook/bitbucketcloud", cloud, event: "pullrequest:created"),
            SampleHooks.request("/change_hook/gitlab", gitLab),
            SampleHooks.request("/change_hook/gitea", gitea, event: "pull_request"),
        ]
        let yaml = SampleHooks.yaml.replacing(", forks: true", with: "")
        try await withWeb(yaml, secrets: ["hook": SampleHooks.secret]) { web in
            for request in requests {
                let answer = try await web.send(request)
                #expect(answer.status == 200)
                #expect(answer.body.contains("set 'forks: true' to build those"), "\(answer.body)")
            }
            #expect(try await web.changes().isEmpty)
        }
    }

    @Test func `a tag of GitLab without commits is a change of the commit that it points to`()
        async throws
    {
        let tag = """
            {"object_kind": "tag_push", "ref": "refs/tags/v1", "before": "0000", "after": "aaa1",
            "checkout_sha": "ccc1", "message": "The first", "user_name": "Ann",
            "user_email": "ann@e.org", "commits": [],
            "repository": {"name": "Repo", "url": "git@gl:own/repo.git"}}
            """
        try await withHooks { web in
            let answer = try await web.send(SampleHooks.request("/change_hook/gitlab", tag))
            #expect(answer.body == "1 change found\n")
            let change = try #require(try await web.changes().first)
            let expected: [String: JSONValue] = [
                "branch": "v1", "revision": "ccc1", "author": "Ann <ann@e.org>",
                "comments": "The first", "category": "tag_push",
                "repository": "git@gl:own/repo.git",
            ]
            for (field, value) in expected { #expect(change[field] == value, "\(field)") }
            let branch = tag.replacing("tags/v1", with: "heads/new")
                .replacing("tag_push", with: "push")
            let none = try await web.send(SampleHooks.request("/change_hook/gitlab", branch))
            #expect(none.body == "no change found: the push has no commits\n")
        }
    }

    @Test func `a repository of Bitbucket Server without links has no address`() async throws {
        let push = SampleHooks.serverPush.replacing(#""links""#, with: #""other""#)
        try await withHooks { web in
            let request = SampleHooks.request(
                "/change_hook/bitbucketserver", push, event: "repo:refs_changed")
            #expect(try await web.send(request).body == "1 change found\n")
            let change = try #require(try await web.changes().first)
            #expect(change["repository"] == "CI/repo")
            #expect(change["revlink"] == .null)
        }
    }

    @Test func `the log tells of a refused request, once a minute for each hook`() async throws {
        let messages = RecordedMessages()
        let wrong = ["github", "gitea"].map { name in
            SampleHooks.request("/change_hook/\(name)", "{}", secret: "guessed-secret")
                .replacing(
                    "Connection:", with: "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nConnection:")
        }
        try await withHooks(logger: Logger(label: "test") { _ in messages.handler }) { web in
            for request in wrong + wrong {
                let answer = try await web.send(request)
                #expect(answer.status == 403)
            }
            // Those to hooks that do not exist count as one.
            for name in ["a", "b"] {
                let answer = try await web.send(SampleHooks.request("/change_hook/\(name)", "{}"))
                #expect(answer.status == 404)
                #expect(answer.body.contains("there is no change hook '\(name)'; add it to"))
            }
            let refusals = messages.texts(at: .warning).filter { $0.contains("refused") }
            let known = ["github", "gitea"].map { name in
                "refused a request from 10.0.0.2 to /change_hook/\(name): wrong signature; the "
                    + "hook's secret is another one"
            }
            #expect(Array(refusals.prefix(2)) == known)
            #expect(refusals.count == 3)
            #expect(refusals.last?.contains("there is no change hook 'a'") == true)
        }
    }

    @Test func `bodies that are only announced keep no others out`() async throws {
        let announced = SampleHooks.request("/change_hook/github", "{}").replacing(
            "Content-Length: 2", with: "Content-Length: \(ChangeHooks.bodyLimit)")
        func holding(_ count: Int, _ web: Web, _ body: () async throws -> Void) async throws {
            guard count > 0 else { return try await body() }
            try await web.connect().executeThenClose { _, outbound in
                try await outbound.write(ByteBuffer(string: announced))
                try await holding(count - 1, web, body)
            }
        }
        try await withHooks { web in
            try await holding(6, web) {
                let text = String(repeating: "x", count: 1 << 20)
                let large = SampleHooks.gitHubPush(first: text)
                let answer = try await web.send(SampleHooks.request("/change_hook/github", large))
                #expect(answer.body == "2 changes found\n")
            }
        }
    }

    @Test func `large bodies share a budget, small ones need none`() throws {
        let budget = BodyBudget()
        let large = (1...4).map { _ in budget.reservation() }
        for reservation in large.dropLast() { try reservation.add(ChangeHooks.bodyLimit) }
        #expect(throws: WebFault.self) {
            for _ in 1...25 { try large[3].add(1 << 20) }
        }
        #expect(throws: WebFault.self) { try budget.reservation().add(30 << 20) }
        try budget.reservation().add(WebRequest.bodyLimit)
        for reservation in large { reservation.end() }
        try budget.reservation().add(90 << 20)
    }
}
