internal import FoundationEssentials
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// The builders.
extension Dashboard {
    /// The most builders on a page.
    private static let builderLimit = 50
    /// The most builds of a builder.
    private static let buildLimit = 5
    /// How many of the latest builds are read at once.
    private static let latestLimit = 300

    func homePage() async throws -> Response {
        let filter = BuilderFilter(request)
        let builders =
            try await records(
                ["builders"],
                [
                    ("order", "name"), ("limit", "\(Self.builderLimit + 1)"),
                    ("offset", "\(offset)"),
                ] + filter.parameters) ?? []
        let latest =
            try await records(
                ["builds"], ["order": "-buildid", "limit": "\(Self.latestLimit)"]) ?? []
        let waiting = try await site.master.pendingCounts()
        var builds = Dictionary(grouping: latest) { $0.int("builderid") }
        // Of all builds, those of some builders may be older than the latest ones.
        for builder in builders.prefix(Self.builderLimit) where latest.count == Self.latestLimit {
            let id = builder.int("builderid")
            guard (builds[id]?.count ?? 0) < Self.buildLimit else { continue }
            builds[id] = try await records(
                ["builders", "\(id)", "builds"],
                ["order": "-number", "limit": "\(Self.buildLimit)"])
        }
        return Page(
            site: site, visitor: visitor, title: "Builders",
            live: ["builds/*/*", "buildrequests/*/*"]
        ).response { html in
            if filter.isSet || offset > 0 || builders.count > Self.builderLimit {
                search(filter, in: &html)
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
                    "p", text: filter.isSet ? "No builder fits." : "There are no builders.")
            }
            pager(
                offset, Self.builderLimit, builders.count, keeping: filter.address, in: &html)
        }
    }

    /// The field for a part of a name, and what else is asked for.
    private func search(_ filter: BuilderFilter, in html: inout HTML) {
        let kept = filter.tag.map { [(name: "tag", value: $0)] } ?? []
        search("Search the names", filter.part, keeping: kept, in: &html)
        guard filter.isSet else { return }
        html.element("p") { html in
            if let tag = filter.tag { html.text("Builders with the tag “\(tag)”. ") }
            html.link(site.home, "All builders")
        }
    }

    private func row(
        _ builder: JSONObject, _ builds: [JSONObject], _ pending: Int, in html: inout HTML
    ) {
        html.element("tr") { html in
            html.element("th", ["scope": "row"]) { html in
                html.link(address(builder: builder.int("builderid")), builder.string("name"))
                for tag in builder["tags"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
                    html.link("?tag=\(tag.percentEncoded)", tag, "tag")
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
                    for build in builds.prefix(Self.buildLimit) { chip(build, in: &html) }
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
                "title": build.string("state_string").shortened(to: 60),
            ], text: "#\(build.int("number"))")
    }
}

/// Which builders are shown: those with a tag, with a part of their names, or both.
private struct BuilderFilter {
    let tag: String?
    let part: String

    init(_ request: WebRequest) {
        tag = request.query("tag").flatMap { $0.isEmpty ? nil : $0 }
        part = request.query("q") ?? ""
    }

    var isSet: Bool { tag != nil || !part.isEmpty }

    /// The filters of the data API.
    var parameters: [(String, String)] {
        (tag.map { [("tags__contains", $0)] } ?? [])
            + (part.isEmpty ? [] : [("name__contains", part)])
    }

    /// The beginning of the query of another page with the same builders.
    var address: String {
        (tag.map { "tag=\($0.percentEncoded)&" } ?? "")
            + (part.isEmpty ? "" : "q=\(part.percentEncoded)&")
    }
}
