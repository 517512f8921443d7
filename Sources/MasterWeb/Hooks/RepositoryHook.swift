internal import FoundationEssentials
internal import HTTPTypes
internal import MasterKit

/// Requests of GitHub, and of Gitea and Forgejo, whose payloads are much the same.
struct RepositoryHook {
    let hook: HookRequest
    let payload: HookPayload
    let isGitea: Bool

    func outcome() throws(WebFault) -> HookOutcome {
        let event = try hook.event(isGitea ? "X-Gitea-Event" : "X-GitHub-Event")
        switch event {
        case "push": return try pushed()
        case "pull_request", "pull_request_sync": return try pullRequest()
        case "ping": return .nothing("the hook works")
        case "create", "delete", "workflow_run":
            return .nothing("pushes tell of this, too")
        default: throw hook.unknown(event)
        }
    }

    // MARK: Pushes

    private static var skip: Regex<Substring> { #/\[ *(?:skip *ci|ci *skip) *\]/# }

    private func pushed() throws(WebFault) -> HookOutcome {
        let name = try payload.needed("ref")
        guard let ref = HookRef(name) else {
            return .nothing("'\(name.prefix(200))' is neither a branch nor a tag")
        }
        if payload["deleted"] == true || HookRef.isNone(payload.text("after")) {
            return .nothing("'\(ref.name.prefix(200))' was deleted")
        }
        let head = payload["head_commit"] == nil ? nil : payload.part("head_commit")
        if let message = head?.text("message"), message.contains(Self.skip) {
            return .nothing("the message of the newest commit asks to skip it")
        }
        var commits = payload.list("commits")
        // Gitea begins with the newest.
        if commits.count > 1, let after = payload.text("after"), commits[0].text("id") == after {
            commits.reverse()
        }
        if payload["created"] == true || HookRef.isNone(payload.text("before"))
            || ref.isTag && commits.isEmpty
        {
            commits = (head ?? commits.last).map { [$0] } ?? []
        }
        guard !commits.isEmpty else {
            return .nothing("the push has no commits")
        }
        var changes: [Change] = []
        for commit in commits { changes.append(try change(of: commit, ref)) }
        return HookOutcome(changes: changes)
    }

    private func change(of commit: HookPayload, _ ref: HookRef) throws(WebFault) -> Change {
        var properties: JSONObject = ["event": "push"]
        if let isDistinct = commit["distinct"] { properties["github_distinct"] = isDistinct }
        let files = ["added", "modified", "removed"].flatMap { kind in
            commit[kind]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
        return Change(
            author: commit.part("author").person ?? "", committer: commit.part("committer").person,
            comments: commit.text("message") ?? "", files: files,
            sourceStamp: SourceStamp(
                branch: ref.name, revision: try commit.needed("id"),
                repository: try payload.needed("repository", "html_url"),
                project: payload.text("repository", "full_name") ?? "", codebase: hook.codebase),
            revlink: commit.text("url"), category: ref.isTag ? "tag" : nil,
            properties: properties, when: commit.date("timestamp") ?? hook.date)
    }

    // MARK: Pull requests

    private func pullRequest() throws(WebFault) -> HookOutcome {
        let action = try payload.needed("action")
        guard ["opened", "reopened", "synchronize", "synchronized"].contains(action) else {
            return .nothing("'\(action.prefix(60))' does not change the sources")
        }
        let request = payload.part("pull_request")
        guard let number = payload.number("number") ?? request.number("number") else {
            throw WebFault(.badRequest, "the payload has no 'number'")
        }
        let base = try request.needed("base", "repo", "full_name")
        // The repository of a fork may have been removed.
        if request.text("head", "repo", "full_name") != base, !hook.dialect.acceptsForks {
            return .nothing(HookRequest.forkReason)
        }
        let title = request.text("title") ?? ""
        let commits = request.number("commits").map { " (\($0) commit\($0 == 1 ? "" : "s"))" }
        let service = isGitea ? "Gitea" : "GitHub"
        let change = Change(
            author: payload.text("sender", "login") ?? "",
            comments: "\(service) Pull Request #\(number)\(commits ?? "")\n\(title)\n"
                + (request.text("body") ?? ""),
            sourceStamp: SourceStamp(
                branch: "refs/pull/\(number)/\(hook.dialect.pullRequestRef)",
                revision: try request.needed("head", "sha"),
                repository: try payload.needed("repository", "html_url"), project: base,
                codebase: hook.codebase),
            revlink: request.text("html_url"), category: "pull",
            properties: [
                "pullrequesturl": .string(request.text("html_url") ?? ""),
                "event": "pull_request",
                "basename": .string(request.text("base", "ref") ?? ""),
            ], when: request.date("created_at") ?? hook.date)
        return HookOutcome(changes: [change])
    }
}

extension HookRequest {
    /// Why a pull request of strangers is not built.
    static let forkReason =
        "the pull request comes from another repository; set 'forks: true' to build those"
}
