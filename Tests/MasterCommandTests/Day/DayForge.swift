import Crypto
import FoundationEssentials
import MasterKit
import Testing

/// A service with repositories, which tells a master of pushes by hooks, and a repository that the
/// master polls.
struct DayForge {
    static let secret = "s3cret-of-the-day"

    let program: Program
    let client: HTTPClient
    let port: Int
    /// The commits that are to be pushed to the repository, by the index of the push.
    private var prepared: [Int: [String]] = [:]

    /// The path of the repository that is polled.
    var repository: String { program.folder + "/polled.git" }

    /// Creates a repository with the commits of all pushes to it, and with those alone on its
    /// branches that were there before the day.
    init(_ plan: DayPlan, _ program: Program, _ client: HTTPClient, port: Int) async throws {
        (self.program, self.client, self.port) = (program, client, port)
        let pushes = plan.pushes.filter { $0.way == .repository }
        var stream = ""
        var heads: [String: String] = [:]
        var mark = 0
        func commit(_ branch: String, _ message: String) {
            mark += 1
            stream += "commit refs/prepared/\(branch)\nmark :\(mark)\n"
            stream += "committer Ann <ann@example.org> \(DayPlan.start) +0000\n"
            stream += "data \(message.utf8.count)\n\(message)\n"
            if let head = heads[branch] { stream += "from \(head)\n" }
            stream += "M 100644 inline \(branch)-\(mark).c\ndata 2\nx\n\n"
            heads[branch] = ":\(mark)"
        }
        for branch in ["main", "next"] {
            commit(branch, "before the day")
            stream += "reset refs/heads/\(branch)\nfrom :\(mark)\n\n"
        }
        let marks = pushes.map { push in
            let first = mark + 1
            for number in 1...push.commitCount { commit(push.branch, "\(push.index)-\(number)") }
            return first...mark
        }
        try program.write(stream, to: "commits")
        try await git("init", "-q", "--bare", repository)
        try await shell(
            "git -C '\(repository)' fast-import --quiet --export-marks=marks <commits")
        let revisions = try marksOfCommits()
        for (push, marks) in zip(pushes, marks) {
            prepared[push.index] = try marks.map { try #require(revisions[$0]) }
        }
    }

    /// Reads which commit has which mark.
    private func marksOfCommits() throws -> [Int: String] {
        let text = String(
            decoding: try Data(contentsOf: URL(filePath: repository + "/marks")), as: UTF8.self)
        return text.split(separator: "\n").reduce(into: [:]) { marks, line in
            let parts = line.dropFirst().split(separator: " ")
            if let mark = Int(parts[0]) { marks[mark] = String(parts[1]) }
        }
    }

    private func git(_ arguments: String...) async throws {
        try await shell("git " + arguments.map { "'\($0)'" }.joined(separator: " "))
    }

    private func shell(_ script: String) async throws {
        let ended = try await program.run(["-c", script], executable: "/bin/sh") { _ in }
        try #require(ended.status == 0, "\(script): \(ended)")
    }

    // MARK: Pushes

    /// The commits of a push.
    func commits(of push: DayPlan.Push) -> [DayCommit] {
        let revisions =
            prepared[push.index] ?? (1...push.commitCount).map { "\(push.index)-\($0)" }
        return revisions.map {
            DayCommit(revision: $0, branch: push.branch, isPolled: push.way == .repository)
        }
    }

    /// Pushes commits, and tells the master of them unless it finds them itself.
    ///
    /// - Throws: `HTTPError` if the master is not there.
    func deliver(_ push: DayPlan.Push) async throws {
        guard push.way != .repository else {
            let head = commits(of: push).last?.revision ?? ""
            return try await git(
                "-C", repository, "update-ref", "refs/heads/\(push.branch)", head)
        }
        let response = try await client.send(request(of: push))
        #expect(response.status == 200, "\(push): \(response.text)")
    }

    private func request(of push: DayPlan.Push) -> HTTPRequest {
        var request = HTTPRequest(
            .post, "http://127.0.0.1:\(port)/change_hook/\(push.way.rawValue)")
        if push.way == .base {
            request.headers = ["Authorization": "Bearer \(Self.secret)"]
            request.body = .form([
                HTTPPair("author", "Ann"), HTTPPair("branch", push.branch),
                HTTPPair("revision", commits(of: push)[0].revision),
                HTTPPair("repository", "https://example.org/scripts"),
            ])
            return request
        }
        let body = JSONWriter.compact.string(.object(payload(of: push)))
        request.headers =
            push.way == .gitlab
            ? ["X-Gitlab-Token": Self.secret]
            : [
                "X-GitHub-Event": "push",
                "X-Hub-Signature-256": "sha256=\(Self.signature(of: body))",
            ]
        request.body = .json(Array(body.utf8))
        return request
    }

    private func payload(of push: DayPlan.Push) -> JSONObject {
        let commits = commits(of: push).map { commit -> JSONValue in
            [
                "id": .string(commit.revision), "message": "a change", "added": [],
                "modified": ["a.c"], "removed": [], "timestamp": "2026-03-28T03:04:05+01:00",
                "author": ["name": "Ann", "email": "ann@example.org"],
            ]
        }
        return [
            "object_kind": "push", "ref": .string("refs/heads/\(push.branch)"),
            "before": "0a1", "after": commits.last?["id"] ?? "", "commits": .array(commits),
            "head_commit": commits.last ?? .null,
            "repository": [
                "name": "app", "full_name": "own/app", "url": "git@example.org:own/app.git",
                "html_url": "https://example.org/own/app",
            ],
        ]
    }

    private static func signature(of body: String) -> String {
        HMAC<SHA256>.authenticationCode(
            for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8))
        ).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
