internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// The builders with their last builds.
extension Dashboard {
    /// The most builders on a page.
    private static let builderLimit = 60

    func homePage() async throws -> Response {
        let word = request.query("q") ?? ""
        let builders = try await builders(matching: word)
        let latest = try await records(["builds"], ["order": "-buildid", "limit": "300"]) ?? []
        let waiting = try await site.master.pendingCounts()
        var builds = Dictionary(grouping: latest) { $0.int("builderid") }
        for builder in builders.prefix(Self.builderLimit) {
            let id = builder.int("builderid")
            guard builds[id] == nil else { continue }
            builds[id] = try await records(
                ["builders", "\(id)", "builds"], ["order": "-number", "limit": "5"])
        }
        return Page(
            site: site, visitor: visitor, title: "Builders",
            live: ["builds/*/*", "buildrequests/*/*"]
        ).response { html in
            if offset > 0 || builders.count > Self.rowLimit / 4 || !word.isEmpty {
                search("Find builders by name or tag", word, in: &html)
            }
            html.table(
                "Builders with their last builds", id: "builders",
                columns: ["Builder", "State", "Last builds", "Pending"]
            ) { html in
                for builder in builders.prefix(Self.builderLimit) {
                    let id = builder.int("builderid")
                    row(builder, builds[id] ?? [], waiting[builder.string("name")] ?? 0, in: &html)
                }
            }
            if builders.isEmpty {
                html.element(
                    "p",
                    text: word.isEmpty
                        ? "There are no builders." : "No builder has this in its name or tags.")
            }
            pager(offset, Self.builderLimit, builders.count, searching: word, in: &html)
        }
    }

    /// The builders of a page and one more if there are more, by name; with a word only those that
    /// have it in their name or tags.
    private func builders(matching word: String) async throws -> [JSONObject] {
        let limit = Self.builderLimit + 1
        guard !word.isEmpty else {
            return try await records(
                ["builders"], ["order": "name", "limit": "\(limit)", "offset": "\(offset)"]) ?? []
        }
        let wanted = word.lowercased()
        let found = (try await records(["builders"], ["order": "name"]) ?? []).filter { builder in
            let tags = builder["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return ([builder.string("name")] + tags).contains {
                $0.lowercased().contains(wanted)
            }
        }
        return Array(found.dropFirst(offset).prefix(limit))
    }

    private func row(
        _ builder: JSONObject, _ builds: [JSONObject], _ pending: Int, in html: inout HTML
    ) {
        html.element("tr") { html in
            html.element("th", ["scope": "row"]) { html in
                html.link(address(builder: builder.int("builderid")), builder.string("name"))
                for tag in builder["tags"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
                    html.link(site.home + "?q=" + tag.percentEncoded, tag, "tag")
                }
            }
            html.element("td") { html in
                let running = builds.count { $0.isRunning }
                if running > 0 {
                    html.element("span", ["class": "badge running"], text: "\(running) running")
                } else if let last = builds.first(where: { $0.results != nil }) {
                    html.badge(last.results, isRunning: false)
                } else {
                    html.element("span", ["class": "dim"], text: "not built yet")
                }
            }
            html.element("td") { html in
                html.element("span", ["class": "chips"]) { html in
                    for build in builds.prefix(5) { chip(build, in: &html) }
                }
            }
            html.element("td", text: pending == 0 ? "" : "\(pending)")
        }
    }

    /// A small link to a build in the color of its result.
    private func chip(_ build: JSONObject, in html: inout HTML) {
        let word = build.isRunning ? "running" : build.results?.name ?? "pending"
        html.element(
            "a",
            [
                "href": address(of: build), "class": "chip \(word)",
                "aria-label": "build \(build.int("number")): \(word)",
                "title": build.string("state_string"),
            ], text: "#\(build.int("number"))")
    }
}
