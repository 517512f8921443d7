internal import FoundationEssentials
internal import HTTPTypes
internal import MasterKit

/// Requests of GitLab.
struct GitLabHook {
    let hook: HookRequest
    let payload: HookPayload

    func outcome() throws(WebFault) -> HookOutcome {
        var event = payload.text("object_kind") ?? ""
        if event.isEmpty { event = try hook.event("X-Gitlab-Event") }
        switch event {
        case "push", "tag_push": return try pushed(event)
        case "merge_request":
            let attributes = payload.part("object_attributes")
            guard !["closed", "merged", "approved"].contains(attributes.text("state")) else {
                return .nothing("the merge request is \(attributes.text("state") ?? "")")
            }
            // An update without it changes texts only.
            guard
                ["open", "reopen"].contains(attributes.text("action"))
                    || attributes.text("action") == "update" && attributes["oldrev"] != nil
            else {
                return .nothing("the sources of the merge request are the same as before")
            }
            return try mergeRequest(attributes, event, note: nil)
        case "note":
            guard payload["merge_request"] != nil else {
                return .nothing("the note is not on a merge request")
            }
            let note = payload.text("object_attributes", "note") ?? ""
            return try mergeRequest(payload.part("merge_request"), event, note: note)
        default: throw hook.unknown(event)
        }
    }

    private func pushed(_ event: String) throws(WebFault) -> HookOutcome {
        let name = try payload.needed("ref")
        guard let ref = HookRef(name) else {
            return .nothing("'\(name.prefix(200))' is neither a branch nor a tag")
        }
        if HookRef.isNone(payload.text("after")) {
            return .nothing("'\(ref.name.prefix(200))' was deleted")
        }
        var changes: [Change] = []
        for commit in payload.list("commits") {
            let files = ["added", "modified", "removed"].flatMap { kind in
                commit[kind]?.arrayValue?.compactMap(\.stringValue) ?? []
            }
            changes.append(
                Change(
                    author: commit.part("author").person ?? "",
                    comments: commit.text("message") ?? "", files: files,
                    sourceStamp: try stamp(ref, try commit.needed("id")),
                    revlink: commit.text("url"), category: event,
                    properties: ["event": .string(event)],
                    when: commit.date("timestamp") ?? hook.date))
        }
        // A tag of a commit that is known has no commits, but is new all the same.
        if changes.isEmpty, ref.isTag, let revision = payload.text("checkout_sha") {
            let name = payload.text("user_name") ?? payload.text("user_username") ?? ""
            let address = payload.text("user_email") ?? ""
            changes = [
                Change(
                    author: address.isEmpty ? name : "\(name) <\(address)>",
                    comments: payload.text("message") ?? "",
                    sourceStamp: try stamp(ref, revision), category: event,
                    properties: ["event": .string(event)], when: hook.date)
            ]
        }
        return changes.isEmpty
            ? .nothing("the push has no commits") : HookOutcome(changes: changes)
    }

    private func stamp(_ ref: HookRef, _ revision: String) throws(WebFault) -> SourceStamp {
        SourceStamp(
            branch: ref.name, revision: revision,
            repository: try payload.needed("repository", "url"),
            project: payload.text("repository", "name") ?? "", codebase: hook.codebase)
    }

    private func mergeRequest(
        _ request: HookPayload, _ event: String, note: String?
    ) throws(WebFault) -> HookOutcome {
        guard let source = request.number("source_project_id"),
            let target = request.number("target_project_id")
        else {
            throw WebFault(
                .badRequest, "the payload has no 'source_project_id' and 'target_project_id'")
        }
        guard source == target || hook.dialect.acceptsForks else {
            return .nothing(HookRequest.forkReason)
        }
        var properties: JSONObject = ["event": .string(event)]
        for side in ["source", "target"] {
            properties["\(side)_branch"] = .string(request.text("\(side)_branch") ?? "")
            properties["\(side)_project_id"] = .int(side == "source" ? source : target)
            properties["\(side)_repository"] = .string(request.text(side, "git_http_url") ?? "")
            properties["\(side)_git_ssh_url"] = .string(request.text(side, "git_ssh_url") ?? "")
        }
        if let note { properties["comments"] = .string(note) }
        let number = request.number("iid").map { "\($0)" } ?? "?"
        let commit = request.part("last_commit")
        let change = Change(
            author: commit.part("author").person ?? payload.part("user").person ?? "",
            comments: "MR#\(number): \(request.text("title") ?? "")\n\n"
                + (request.text("description") ?? ""),
            sourceStamp: SourceStamp(
                branch: try request.needed("target_branch"), revision: try commit.needed("id"),
                repository: try request.needed("target", "git_http_url"),
                project: request.text("target", "name") ?? "", codebase: hook.codebase),
            revlink: request.text("url"), category: event, properties: properties,
            when: commit.date("timestamp") ?? hook.date)
        // Each note is another one.
        return HookOutcome(changes: [change])
    }
}
