internal import FoundationEssentials
internal import HTTPTypes
internal import MasterKit

/// Requests of bitbucket.org.
struct BitbucketCloudHook {
    let hook: HookRequest
    let payload: HookPayload

    func outcome() throws(WebFault) -> HookOutcome {
        let event = try hook.event("X-Event-Key")
        switch event {
        case "repo:push": return try pushed()
        case "pullrequest:created": return try pullRequest("pull-created")
        case "pullrequest:updated": return try pullRequest("pull-updated")
        case "pullrequest:fulfilled", "pullrequest:rejected":
            return .nothing("the pull request has ended; its merge is a push")
        default: throw hook.unknown(event)
        }
    }

    private var repository: String? {
        payload.text("repository", "links", "html", "href")
            ?? payload.text("repository", "links", "self", "href")
    }

    private var project: String {
        payload.text("repository", "project", "name") ?? payload.text("repository", "name") ?? ""
    }

    private func stamp(_ branch: String, _ revision: String) throws(WebFault) -> SourceStamp {
        guard let repository else {
            throw WebFault(.badRequest, "the payload has no 'repository.links.html.href'")
        }
        return SourceStamp(
            branch: branch, revision: revision, repository: repository, project: project,
            codebase: hook.codebase)
    }

    private func pushed() throws(WebFault) -> HookOutcome {
        var changes: [Change] = []
        for update in payload.list("push", "changes") where update["new"] != nil {
            let new = update.part("new")
            let branch = try new.needed("name")
            let isTag = new.text("type") == "tag"
            // The newest comes first; there are five at most.
            let commits: [HookPayload] = update.list("commits").reversed()
            for commit in commits.isEmpty || isTag ? [new.part("target")] : commits {
                let hash = try commit.needed("hash")
                changes.append(
                    Change(
                        author: commit.text("author", "raw") ?? actor,
                        comments: commit.text("message") ?? "Bitbucket Cloud commit \(hash)",
                        sourceStamp: try stamp(branch, hash),
                        revlink: commit.text("links", "html", "href"),
                        category: isTag ? "tag" : "push",
                        when: commit.date("date") ?? hook.date))
            }
        }
        return try HookOutcome(pushed: changes, of: payload.part("push"))
    }

    private var actor: String {
        let name = payload.text("actor", "display_name") ?? ""
        return payload.text("actor", "nickname").map { "\(name) <\($0)>" } ?? name
    }

    private func pullRequest(_ category: String) throws(WebFault) -> HookOutcome {
        let request = payload.part("pullrequest")
        guard let number = request.number("id") else {
            throw WebFault(.badRequest, "the payload has no 'pullrequest.id'")
        }
        let target = try request.needed("destination", "repository", "full_name")
        let isFork = request.text("source", "repository", "full_name") != target
        guard !isFork || hook.dialect.acceptsForks else { return .nothing(HookRequest.forkReason) }
        let change = Change(
            author: actor,
            comments: "Bitbucket Cloud Pull Request #\(number)\n\(request.text("title") ?? "")",
            // Bitbucket Cloud has no refs of pull requests.
            sourceStamp: try stamp(
                try request.needed("source", "branch", "name"),
                try request.needed("source", "commit", "hash")),
            revlink: request.text("links", "html", "href"), category: category,
            properties: ["pullrequesturl": .string(request.text("links", "html", "href") ?? "")],
            when: request.date("updated_on") ?? hook.date)
        return HookOutcome(changes: [change])
    }
}

/// Requests of Bitbucket Server and Data Center.
struct BitbucketServerHook {
    let hook: HookRequest
    let payload: HookPayload

    func outcome() throws(WebFault) -> HookOutcome {
        let event = try hook.event("X-Event-Key")
        switch event {
        case "repo:refs_changed", "repo:push": return try pushed(event)
        case "pr:opened", "pullrequest:created": return try pullRequest("pull-created")
        case "pr:from_ref_updated", "pullrequest:updated": return try pullRequest("pull-updated")
        case "pr:merged", "pr:declined", "pr:deleted", "pullrequest:fulfilled",
            "pullrequest:rejected":
            return .nothing("the pull request has ended; its merge is a push")
        case "diagnostics:ping": return .nothing("the hook works")
        default: throw hook.unknown(event)
        }
    }

    /// The address of a repository's page, without the view at its end.
    private func address(of repository: HookPayload) throws(WebFault) -> String {
        if let page = repository.list("links", "self").first?.text("href") {
            return page.hasSuffix("/browse") ? String(page.dropLast(7)) : page
        }
        return "\(try repository.needed("project", "key"))/\(try repository.needed("slug"))"
    }

    private var actor: String {
        let name = payload.text("actor", "displayName") ?? payload.text("actor", "display_name")
        let address = payload.text("actor", "emailAddress") ?? payload.text("actor", "nickname")
        guard let name = name ?? payload.text("actor", "name") else { return address ?? "" }
        return address.map { "\(name) <\($0)>" } ?? name
    }

    private func pushed(_ event: String) throws(WebFault) -> HookOutcome {
        let repository = payload.part("repository")
        let address = try address(of: repository)
        var changes: [Change] = []
        // Older plugins send the form of Bitbucket Cloud.
        let old = payload.list("push", "changes").filter { $0["new"] != nil }
        for update in payload.list("changes") where update.text("type") != "DELETE" {
            guard let ref = HookRef(try update.needed("ref", "id")) else { continue }
            changes.append(
                change(ref.name, ref.isTag, try update.needed("toHash"), address, repository))
        }
        for update in old {
            let isTag = update.text("new", "type") == "tag"
            changes.append(
                change(
                    try update.needed("new", "name"), isTag,
                    try update.needed("new", "target", "hash"), address, repository))
        }
        let push = payload["push"] == nil ? payload : payload.part("push")
        return try HookOutcome(pushed: changes, of: push)
    }

    private func change(
        _ branch: String, _ isTag: Bool, _ hash: String, _ address: String,
        _ repository: HookPayload
    ) -> Change {
        // Without links in the payload the address is only the name of the repository.
        let page = address.contains("://") ? "\(address)/commits/\(hash)" : nil
        return Change(
            author: actor, comments: "Bitbucket Server commit \(hash)",
            sourceStamp: SourceStamp(
                branch: branch, revision: hash, repository: address,
                project: repository.text("project", "name") ?? "", codebase: hook.codebase),
            revlink: page, category: isTag ? "tag" : "push",
            when: payload.date("date") ?? hook.date)
    }

    private func pullRequest(_ category: String) throws(WebFault) -> HookOutcome {
        let request =
            payload["pullRequest"] == nil
            ? payload.part("pullrequest") : payload.part("pullRequest")
        guard let number = request.number("id") else {
            throw WebFault(.badRequest, "the payload has no 'pullRequest.id'")
        }
        let target = request.part("toRef", "repository")
        let source = request.part("fromRef", "repository")
        let isFork =
            target.text("slug") != source.text("slug")
            || target.text("project", "key") != source.text("project", "key")
        guard !isFork || hook.dialect.acceptsForks else { return .nothing(HookRequest.forkReason) }
        let link = request.list("links", "self").first?.text("href")
        let change = Change(
            author: actor,
            comments: "Bitbucket Server Pull Request #\(number)\n\(request.text("title") ?? "")",
            sourceStamp: SourceStamp(
                branch: "refs/pull-requests/\(number)/from",
                revision: try request.needed("fromRef", "latestCommit"),
                repository: try address(of: target),
                project: target.text("project", "name") ?? "", codebase: hook.codebase),
            revlink: link, category: category,
            properties: ["pullrequesturl": .string(link ?? "")],
            when: payload.date("date") ?? hook.date)
        return HookOutcome(changes: [change])
    }
}

extension HookOutcome {
    /// The changes of a push, or why there are none.
    ///
    /// - Throws: ``WebFault`` if the payload has no list of what was pushed.
    fileprivate init(pushed changes: [Change], of push: HookPayload) throws(WebFault) {
        self.init(changes: changes)
        guard changes.isEmpty else { return }
        guard let list = push["changes"]?.arrayValue else { throw push.lacks("list", "changes") }
        reason = list.isEmpty ? "the push has no changes" : "a branch or a tag was deleted"
    }
}
