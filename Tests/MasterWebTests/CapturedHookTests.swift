import FoundationEssentials
import MasterKit
import Testing

@testable import MasterWeb

/// The requests whose answers Buildbot gave.
@Suite(.timeLimit(.minutes(2)))
struct CapturedHookTests {
    /// The captured requests: their names, and the same requests as they are signed here.
    private static let requests: [(name: String, request: String)] = [
        (
            "base ok",
            SampleHooks.request(
                "/change_hook/base",
                "author=Ann+%3Cann%40example.org%3E&committer=Com+%3Cc%40example.org%3E"
                    + "&comments=msg&revision=r77&branch=main&category=cat&revlink=http://x/r77"
                    + "&repository=repo1&project=proj&when_timestamp=1700000000"
                    + "&files=%5B%22a.c%22%2C%22b.c%22%5D&properties=%7B%22p%22%3A1%7D",
                type: SampleHooks.form)
        ),
        ("base minimal", SampleHooks.request("/change_hook", "who=x", type: SampleHooks.form)),
        (
            "base links (bad files json)",
            SampleHooks.request("/change_hook/base", "author=x&files=a.c", type: SampleHooks.form)
        ),
        ("base json body", SampleHooks.request("/change_hook/base", #"{"author": "x"}"#)),
        ("unknown dialect", SampleHooks.request("/change_hook/zzz", "{}")),
        ("github push sha1", SampleHooks.request("/change_hook/github", SampleHooks.gitHubPush())),
        (
            "github push form",
            SampleHooks.request(
                "/change_hook/github",
                "payload=" + SampleHooks.gitHubPush(more: "\"form\": 1,").percentEncoded,
                type: SampleHooks.form)
        ),
        (
            "github ping",
            SampleHooks.request("/change_hook/github", #"{"zen": "z"}"#, event: "ping")
        ),
        ("github unknown event", SampleHooks.request("/change_hook/github", "{}", event: "star")),
        (
            "github tag push",
            SampleHooks.request("/change_hook/github", SampleHooks.gitHubPush(ref: "refs/tags/v1"))
        ),
        (
            "github branch delete",
            SampleHooks.request(
                "/change_hook/github", SampleHooks.gitHubPush(more: #""deleted": true,"#))
        ),
        (
            "github skip ci",
            SampleHooks.request(
                "/change_hook/github", SampleHooks.gitHubPush(first: "do it [skip ci]", commits: 1))
        ),
        (
            "github pull_request (API unreachable)",
            SampleHooks.request(
                "/change_hook/github", SampleHooks.pullRequest, event: "pull_request")
        ),
        (
            "github pull_request labeled",
            SampleHooks.request(
                "/change_hook/github", SampleHooks.pullRequest.replacing("opened", with: "labeled"),
                event: "pull_request")
        ),
        (
            "gitlab push",
            SampleHooks.request(
                "/change_hook/gitlab", SampleHooks.gitLabPush("push", "refs/heads/main"))
        ),
        (
            "gitlab tag push",
            SampleHooks.request(
                "/change_hook/gitlab", SampleHooks.gitLabPush("tag_push", "refs/tags/v1"))
        ),
        (
            "gitlab merge_request open",
            SampleHooks.request(
                "/change_hook/gitlab",
                SampleHooks.mergeRequest(#""state": "opened", "action": "open""#))
        ),
        (
            "gitlab merge_request close",
            SampleHooks.request(
                "/change_hook/gitlab",
                SampleHooks.mergeRequest(#""state": "closed", "action": "close""#))
        ),
        (
            "gitlab note on MR",
            SampleHooks.request(
                "/change_hook/gitlab", SampleHooks.mergeRequest(#""state": "opened""#, kind: "note")
            )
        ),
        (
            "bitbucketcloud push",
            SampleHooks.request("/change_hook/bitbucketcloud", SampleHooks.cloudPush)
        ),
        (
            "bitbucketserver push",
            SampleHooks.request(
                "/change_hook/bitbucketserver", SampleHooks.serverPush, event: "repo:refs_changed")
        ),
        (
            "bitbucketserver unknown event",
            SampleHooks.request(
                "/change_hook/bitbucketserver", SampleHooks.serverPush, event: "repo:zzz")
        ),
        (
            "bitbucket POST service",
            SampleHooks.request("/change_hook/bitbucket", "payload={}", type: SampleHooks.form)
        ),
        (
            "gitorious",
            SampleHooks.request("/change_hook/gitorious", "payload={}", type: SampleHooks.form)
        ),
        ("poller all", SampleHooks.request("/change_hook/poller", "")),
        ("poller named", SampleHooks.request("/change_hook/poller?poller=zzz", "")),
    ]

    /// Captured requests whose proof is the point; the test of signatures sends them.
    private static let proofs: Set = [
        "github push no signature (strict)", "github push wrong signature",
        "github push sha256 header only", "gitlab push no token", "gitlab push wrong token",
    ]

    /// Where the answer is another one, or the changes are, and why.
    private static let differences: [String: (status: Int, count: Int, reason: String)] = [
        "base json body": (415, 0, "an empty change of a request that is not read helps nobody"),
        "unknown dialect": (404, 0, "there is no such address"),
        "bitbucket POST service": (404, 0, "the service no longer exists"),
        "gitorious": (404, 0, "the service no longer exists"),
        "poller all": (404, 0, "there is no such hook"),
        "poller named": (404, 0, "there is no such hook"),
        "github pull_request (API unreachable)": (200, 1, "the API is not asked"),
        "github pull_request labeled": (200, 0, "the API is not asked"),
        "gitlab merge_request open": (200, 1, "the captured payload lacked fields"),
        "gitlab note on MR": (200, 1, "the captured payload lacked fields"),
    ]

    private static let fields: [String: (String, String)] = [
        "bitbucketcloud push branch": ("main", "as GitPoller and the other hooks name branches"),
        "bitbucketserver push branch": ("main", "as GitPoller and the other hooks name branches"),
        "bitbucketserver push repository": ("http://bs/repo", "the end of the name was cut off"),
        "bitbucketserver push revlink": (
            "http://bs/repo/commits/new1", "the end of the name was cut off"
        ),
    ]

    @Test func `captured requests get the captured changes`() async throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/change-hooks.json")
        let captured = try JSONValue(parsing: Array(try Data(contentsOf: path))).arrayValue ?? []
        let names = captured.compactMap { $0["case"]?.stringValue }
        #expect(Set(names) == Set(Self.requests.map(\.name)).union(Self.proofs))
        try await withHooks { web in
            var first = 1
            for (name, request) in Self.requests {
                let case_ = try #require(captured.first { $0["case"] == .string(name) })
                let answer = try await web.send(request)
                let found = try await web.changes(from: first)
                first += found.count
                let expected = case_["changes"]?.arrayValue ?? []
                let difference = Self.differences[name]
                #expect(
                    answer.status == difference?.status ?? case_["status"]?.intValue,
                    "\(name): \(answer.body)")
                #expect(found.count == difference?.count ?? expected.count, "\(name)")
                guard difference == nil else { continue }
                for (one, other) in zip(found, expected) {
                    compare(one, other, name)
                }
            }
        }
    }

    private func compare(_ found: JSONValue, _ expected: JSONValue, _ name: String) {
        for key in [
            "author", "branch", "category", "codebase", "comments", "committer", "files",
            "project", "properties", "repository", "revision", "revlink", "when_timestamp",
        ] {
            var wanted = expected[key]
            if let (value, _) = Self.fields["\(name) \(key)"] { wanted = .string(value) }
            // Stored without the source of each, which is that of all.
            if key == "properties" {
                let values = (wanted?.objectValue ?? [:]).map { ($0.key, $0.value[0] ?? .null) }
                wanted = .object(JSONObject(values))
            }
            // The time of arrival.
            if key == "when_timestamp", (wanted?.intValue ?? 0) > 1_790_000_000 { continue }
            #expect(found[key] == wanted, "\(name): \(key)")
        }
    }
}
