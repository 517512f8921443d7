import Crypto
import FoundationEssentials
import GRDB
import Logging
import MasterKit
import MasterRuntime
import MasterTesting
import StandardPlugins
import Testing

@testable import MasterWeb

/// Requests as services send them to change hooks.
enum SampleHooks {
    static let yaml = """
        www:
          port: 0
          change_hook_dialects:
            github: {secret: !Secret hook}
            gitlab: {secret: !Secret hook}
            gitea: {secret: !Secret hook}
            bitbucketcloud: {secret: !Secret hook}
            bitbucketserver: {secret: !Secret hook, forks: true}
            base: {secret: !Secret hook}
        secrets: [secrets.Environment]
        builders: [{name: linux, steps: []}]
        """

    static let secret = "s3cret-of-hooks"

    static func signature(_ body: String, _ key: String = secret) -> String {
        HMAC<SHA256>.authenticationCode(
            for: Data(body.utf8), using: SymmetricKey(data: Data(key.utf8))
        ).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// A request with the proof that its dialect needs.
    static func request(
        _ path: String, _ body: String, event: String? = nil, type: String = "application/json",
        secret: String = secret, host: String = "hooks.example.org"
    ) -> String {
        var lines = [
            "POST \(path) HTTP/1.1", "Host: \(host)", "Content-Type: \(type)",
            "Content-Length: \(body.utf8.count)", "Connection: close",
        ]
        let dialect = path.split { "/?".contains($0) }.dropFirst().first ?? "base"
        switch dialect {
        case "github":
            lines.append("X-Hub-Signature-256: sha256=\(signature(body, secret))")
            lines.append("X-GitHub-Event: \(event ?? "push")")
        case "gitea":
            lines.append("X-Gitea-Signature: \(signature(body, secret))")
            lines.append("X-Gitea-Event: \(event ?? "push")")
        case "gitlab":
            lines.append("X-Gitlab-Token: \(secret)")
            if let event { lines.append("X-Gitlab-Event: \(event)") }
        case "base": lines.append("Authorization: Bearer \(secret)")
        default:
            lines.append("X-Hub-Signature: sha256=\(signature(body, secret))")
            lines.append("X-Event-Key: \(event ?? "repo:push")")
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    static let form = "application/x-www-form-urlencoded"

    static func gitHubPush(
        ref: String = "refs/heads/main", more: String = "", first: String = "m1",
        commits: Int = 2
    ) -> String {
        let people = """
            "author": {"name": "Ann", "email": "ann@e.org"}, \
            "committer": {"name": "Com", "email": "c@e.org"}
            """
        let list = [
            """
            {"id": "aaa1", "message": "\(first)", "distinct": true, \(people), "added": ["n.c"],
            "modified": ["m.c"], "removed": ["r.c"], "url": "https://gh/c/aaa1",
            "timestamp": "2026-01-02T03:04:05+01:00"}
            """,
            """
            {"id": "bbb", "message": "m2", "distinct": false, \(people), "added": [],
            "modified": [], "removed": [], "url": "https://gh/c/bbb",
            "timestamp": "2026-01-02T03:04:06+01:00"}
            """,
        ].prefix(commits).joined(separator: ", ")
        return """
            {"ref": "\(ref)", "before": "0a1", "after": "bbb", "commits": [\(list)], \(more)
            "head_commit": {"id": "bbb", "message": "m2"},
            "repository": {"full_name": "own/repo", "html_url": "https://github.com/own/repo"}}
            """
    }

    static func gitLabPush(_ kind: String, _ ref: String) -> String {
        """
        {"object_kind": "\(kind)", "ref": "\(ref)", "before": "0a1", "after": "aaa1",
        "commits": [{"id": "aaa1", "message": "m1", "timestamp": "2026-01-02T03:04:05Z",
        "url": "http://gl/c/aaa1", "author": {"name": "Ann", "email": "ann@e.org"},
        "added": ["n"], "modified": ["m"], "removed": ["r"]}],
        "repository": {"name": "Repo", "url": "git@gl:own/repo.git"}}
        """
    }

    static func mergeRequest(_ fields: String, kind: String = "merge_request") -> String {
        """
        {"object_kind": "\(kind)", "\(kind == "note" ? "merge_request" : "object_attributes")": {
        \(fields), "iid": 3, "title": "T", "description": "D", "source_project_id": 1,
        "target_project_id": 1, "source_branch": "f", "target_branch": "main",
        "target": {"name": "Repo", "git_http_url": "http://gl/own/repo.git"},
        "last_commit": {"id": "mmm", "author": {"name": "Ann", "email": "ann@e.org"}}}}
        """
    }

    static let cloudPush = """
        {"actor": {"display_name": "Ann", "nickname": "ann"}, "repository": {"name": "repo",
        "project": {"name": "CI"}, "links": {"self": {"href": "http://bb/repos"}}},
        "push": {"changes": [{"new": {"type": "branch", "name": "main", "target": {"hash": "new1",
        "links": {"html": {"href": "http://bb/own/repo/commits/new1"}}}}}]}}
        """

    static let serverPush = """
        {"actor": {"displayName": "Ann", "emailAddress": "ann"}, "repository": {"slug": "repo",
        "project": {"name": "CI", "key": "CI"}, "links": {"self": [{"href": "http://bs/repo/browse"}]}},
        "changes": [{"type": "UPDATE", "toHash": "new1", "ref": {"id": "refs/heads/main"}}]}
        """

    static let pullRequest = """
        {"action": "opened", "number": 5, "sender": {"login": "ann"},
        "repository": {"full_name": "own/repo", "html_url": "https://github.com/own/repo"},
        "pull_request": {"title": "T", "body": "B", "commits": 2, "html_url": "https://gh/p/5",
        "created_at": "2026-01-02T03:04:05Z",
        "head": {"sha": "ppp", "repo": {"full_name": "own/repo"}},
        "base": {"ref": "main", "repo": {"full_name": "own/repo"}}}}
        """
}

/// Runs a master with all change hooks.
func withHooks(
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ body: (Web) async throws -> Void
) async throws {
    try await withWeb(
        SampleHooks.yaml, secrets: ["hook": SampleHooks.secret], logger: logger, body)
}

extension Web {
    /// The changes with ids from one on, newest first, as they are stored.
    func changes(from id: Int = 1) async throws -> [JSONValue] {
        let queue = try DatabaseQueue(path: folder + "/base/buildmaster.sqlite")
        let rows = try await queue.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT json_object('author', author, 'branch', branch, 'category', category,
                        'codebase', codebase, 'comments', comments, 'committer', committer,
                        'files', json(files), 'project', project, 'properties', json(properties),
                        'repository', repository, 'revision', revision, 'revlink', revlink,
                        'when_timestamp', CAST(when_timestamp AS INTEGER))
                    FROM change JOIN source_stamp ON source_stamp.id = source_stamp_id
                    WHERE change.id >= ? ORDER BY change.id DESC
                    """, arguments: [id])
        }
        return try rows.map { try JSONValue(parsing: $0) }
    }
}
