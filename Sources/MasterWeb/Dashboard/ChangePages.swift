internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// The changes, and a change with its builds.
extension Dashboard {
    /// The most files that the page of a change lists.
    private static let fileLimit = 200

    // MARK: All changes

    func changesPage() async throws -> Response {
        let changes =
            try await records(
                ["changes"],
                ["order": "-changeid", "limit": "\(Self.rowLimit + 1)", "offset": "\(offset)"])
            ?? []
        let problems = site.master.sourceProblems
        return page("Changes", "changes", ["changes/*/*"]) { html in
            for (source, problem) in problems {
                html.element("p") { html in
                    html.element(
                        "span", ["class": "badge failure"], text: source.shortened(to: 200))
                    html.text(" " + problem.shortened(to: 1000))
                }
            }
            if changes.isEmpty { html.element("p", text: "No changes have arrived.") }
            changeTable(changes, in: &html)
            pager(offset, Self.rowLimit, changes.count, in: &html)
        }
    }

    func changeTable(_ changes: [JSONObject], in html: inout HTML) {
        html.table(
            "Changes", id: "changes", columns: ["Change", "Comment", "Author", "Source", "When"]
        ) { html in
            for change in changes.prefix(Self.rowLimit) {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"]) {
                        $0.link(
                            site.home + "changes/\(change.int("changeid"))",
                            "#\(change.int("changeid"))")
                    }
                    let lines = change.string("comments").split(whereSeparator: \.isNewline)
                    let title = String(lines.first ?? "").shortened(to: 200)
                    html.element("td", ["class": "wide"], text: title)
                    html.element("td", text: change.string("author").shortened(to: 80))
                    html.element("td") { html in
                        html.text(change.string("branch").shortened(to: 60) + " ")
                        revision(of: change, in: &html)
                    }
                    html.element("td") { $0.time(change["when_timestamp"]) }
                }
            }
        }
    }

    /// Adds the beginning of a revision, with a link to the page about it.
    private func revision(of change: JSONObject, in html: inout HTML) {
        let revision = change.string("revision")
        html.link(
            elsewhere: change.string("revlink"),
            revision.isEmpty ? "revision" : String(revision.prefix(12)))
    }

    // MARK: A change

    func changePage(_ id: Int) async throws -> Response {
        let change = try await record(["changes", "\(id)"])
        let builds =
            try await records(
                ["changes", "\(id)", "builds"],
                [
                    "order": "-buildid", "limit": "\(Self.rowLimit)", "property": "branch",
                    "property": "revision",
                ]) ?? []
        let builders = builds.isEmpty ? [:] : try await builderNames()
        return page("Change #\(id)", "changes", ["builds/*/*"]) { html in
            facts(of: change, in: &html)
            html.element("h2", text: "Comment")
            html.element("p", ["class": "comment"], text: change.string("comments"))
            files(of: change, in: &html)
            html.table(
                "Builds", id: "builds",
                columns: ["Build", "Result", "State", "Source", "Started", "Duration"]
            ) { html in
                for build in builds {
                    row(build, of: builders[build.int("builderid")], in: &html)
                }
            }
            if builds.isEmpty { html.element("p", text: "No build has been made of it yet.") }
        }
    }

    private func facts(of change: JSONObject, in html: inout HTML) {
        html.element("dl") { html in
            func fact(_ name: String, _ text: String?) {
                guard let text, !text.isEmpty else { return }
                html.fact(name) { $0.text(text.shortened(to: 300)) }
            }
            fact("Author", change.string("author"))
            fact("Committer", change.string("committer"))
            html.fact("When") { $0.time(change["when_timestamp"]) }
            fact("Branch", change.string("branch"))
            if !change.string("revision").isEmpty || !change.string("revlink").isEmpty {
                html.fact("Revision") { revision(of: change, in: &$0) }
            }
            fact("Repository", change.string("repository"))
            fact("Project", change.string("project"))
            fact("Codebase", change.string("codebase"))
            fact("Category", change.string("category"))
        }
    }

    private func files(of change: JSONObject, in html: inout HTML) {
        let files = change["files"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard !files.isEmpty else { return }
        html.element("h2", text: files.count == 1 ? "1 file" : "\(files.count) files")
        html.element("ul", ["class": "files"]) { html in
            for file in files.prefix(Self.fileLimit) {
                html.element("li") { $0.element("code", text: file.shortened(to: 300)) }
            }
        }
        if files.count > Self.fileLimit {
            html.element("p", text: "These are the first \(Self.fileLimit) files.")
        }
    }
}
