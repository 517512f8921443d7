internal import FoundationEssentials
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// A builder, and a build.
extension Dashboard {
    /// The most properties on a page.
    private static let propertyLimit = 200
    /// The most steps on a page.
    private static let stepLimit = 200
    /// The most steps whose last lines are on the page of a build, and how many lines.
    private static let excerptLimit = (steps: 3, lines: 10)

    private var now: Double { Date().timeIntervalSince1970 }

    /// How many rows come before those of the page.
    var offset: Int { max(0, request.query("offset").flatMap { Int($0) } ?? 0) }

    /// A form with which the page searches itself, with what else its address asks for.
    func search(
        _ label: String, _ word: String, keeping query: [(name: String, value: String)] = [],
        in html: inout HTML
    ) {
        html.element("form", ["role": "search", "class": "search"]) { html in
            html.element("label", ["for": "q"], text: label)
            html.void("input", ["id": "q", "name": "q", "type": "search", "value": word])
            for (name, value) in query {
                html.void("input", ["type": "hidden", "name": name, "value": value])
            }
            html.element("button", text: "Search")
        }
    }

    /// Links to the rows before and after those of a page, with what else its address asks for.
    func pager(
        _ offset: Int, _ limit: Int, _ found: Int, keeping query: String = "", in html: inout HTML
    ) {
        guard offset > 0 || found > limit else { return }
        html.element("nav", ["class": "pager", "aria-label": "Pages"]) { html in
            if offset > 0 { html.link("?\(query)offset=\(max(0, offset - limit))", "Previous") }
            if found > limit { html.link("?\(query)offset=\(offset + limit)", "Next") }
        }
    }

    // MARK: Builder

    func builderPage(_ id: Int) async throws -> Response {
        let builder = try await record(["builders", "\(id)"])
        let builds =
            try await records(
                ["builders", "\(id)", "builds"],
                [
                    "order": "-number", "limit": "\(Self.rowLimit + 1)", "offset": "\(offset)",
                    "property": "branch", "property": "revision", "property": "owner",
                    "property": "reason",
                ]) ?? []
        let pending =
            try await records(
                ["builders", "\(id)", "buildrequests"],
                ["claimed": "false", "complete": "false", "limit": "\(Self.rowLimit + 1)"]) ?? []
        let reasons = try await reasons(of: pending)
        let forcing = try await records(["builders", "\(id)", "forceschedulers"]) ?? []
        return Page(
            site: site, visitor: visitor, title: builder.string("name").isolated,
            live: ["builders/\(id)/builds/*/*", "builders/\(id)/buildrequests/*/*"]
        ).response { html in
            if let text = builder["description"]?.stringValue { html.element("p", text: text) }
            if mayControl, !forcing.isEmpty {
                html.element("p", ["class": "actions"]) { html in
                    for scheduler in forcing {
                        html.link(
                            site.home + "force/\(scheduler.string("name").percentEncoded)"
                                + "?builder=\(id)",
                            scheduler.string("button_name").isEmpty
                                ? "Force" : scheduler.string("button_name"), "button")
                    }
                }
            }
            if !pending.isEmpty {
                requestTable(
                    Array(pending.prefix(Self.rowLimit)), named: [id: builder.string("name")],
                    reasons: reasons, in: &html)
                if pending.count > Self.rowLimit {
                    html.element("p", text: "These are the first \(Self.rowLimit) requests.")
                }
            }
            html.table(
                "Builds", id: "builds",
                columns: ["Build", "Result", "State", "Source", "Started", "Duration"]
            ) { html in
                for build in builds.prefix(Self.rowLimit) { row(build, in: &html) }
            }
            if builds.isEmpty { html.element("p", text: "Nothing has been built yet.") }
            pager(offset, Self.rowLimit, builds.count, in: &html)
        }
    }

    func row(_ build: JSONObject, of builder: String? = nil, in html: inout HTML) {
        html.element("tr") { html in
            html.element("th", ["scope": "row"]) {
                $0.link(address(of: build), "\(builder ?? "") #\(build.int("number"))")
            }
            html.element("td") { $0.badge(build.results, isRunning: build.isRunning) }
            html.element("td", text: build.string("state_string").shortened(to: 120))
            html.element("td") { html in
                let properties = build["properties"]?.objectValue ?? [:]
                let branch = properties["branch"]?[0]?.stringValue ?? ""
                let revision = properties["revision"]?[0]?.stringValue ?? ""
                html.text(branch.shortened(to: 60))
                if !revision.isEmpty {
                    html.text(" ")
                    html.element("code", text: String(revision.prefix(10)))
                }
            }
            html.element("td") { $0.time(build["started_at"]) }
            html.element("td") { $0.duration(of: build, at: now) }
        }
    }

    // MARK: Build

    /// What a build page shows.
    private struct BuildRecords {
        let builder: JSONObject
        let build: JSONObject
        let steps: [(step: JSONObject, logs: [JSONObject])]
        /// The last lines of steps that failed, by the id of the step.
        let excerpts: [Int: Excerpt]
        let properties: JSONObject
        let changes: [JSONObject]
        let buildset: JSONObject?
        let worker: JSONObject?

        /// Who may have caused the result: the authors of the changes, and the owners.
        var users: [String] {
            let owners = [properties["owner"]?[0], properties["owners"]?[0]]
                .flatMap { value in value?.arrayValue ?? value.map { [$0] } ?? [] }
            return Set(owners.compactMap(\.stringValue) + changes.map { $0.string("author") })
                .subtracting([""]).sorted()
        }
    }

    private func buildRecords(_ builderID: Int, _ number: Int) async throws -> BuildRecords {
        let path = ["builders", "\(builderID)"]
        let build = try await record(path + ["builds", "\(number)"])
        let id = "\(build.int("buildid"))"
        let logs = Dictionary(grouping: try await logs(ofBuild: build.int("buildid"))) {
            $0.int("stepid")
        }
        let steps =
            try await records(
                ["builds", id, "steps"],
                ["limit": "\(Self.stepLimit + 1)", "offset": "\(offset)"])?.map { step in
                (step: step, logs: logs[step.int("stepid")] ?? [])
            } ?? []
        let request = try await records(["buildrequests", "\(build.int("buildrequestid"))"])?.first
        return BuildRecords(
            builder: try await record(path), build: build, steps: steps,
            excerpts: try await excerpts(of: steps),
            properties: try await records(["builds", id, "properties"])?.first ?? [:],
            changes: try await records(
                ["builds", id, "changes"],
                ["order": "-changeid", "limit": "\(Self.rowLimit + 1)"]) ?? [],
            buildset: try await records(["buildsets", "\(request?.int("buildsetid") ?? 0)"])?.first,
            worker: try await records(["workers", "\(build.int("workerid"))"])?.first)
    }

    private func excerpts(
        of steps: [(step: JSONObject, logs: [JSONObject])]
    ) async throws -> [Int: Excerpt] {
        let failed = steps.filter {
            [.failure, .exception].contains($0.step.results) && $0.step["hidden"] != true
        }
        var excerpts: [Int: Excerpt] = [:]
        for (step, logs) in failed.prefix(Self.excerptLimit.steps) {
            let log = logs.first { $0.string("name") == "stdio" } ?? logs.last
            guard let log, log["type"] != "h" else { continue }
            excerpts[step.int("stepid")] = try await excerpt(of: log, Self.excerptLimit.lines)
        }
        return excerpts
    }

    func buildPage(_ builderID: Int, _ number: Int) async throws -> Response {
        let found = try await buildRecords(builderID, number)
        let build = found.build
        let id = build.int("buildid")
        var live: [String] = []
        if build["complete"] != true {
            live = ["builds/\(id)/*", "builds/\(id)/steps/*/*", "builds/\(id)/properties/*"]
        }
        return Page(
            site: site, visitor: visitor,
            title: "\(found.builder.string("name").isolated) #\(number)",
            live: live
        ).response { html in
            html.element("div", ["id": "summary", "data-refresh": ""]) { html in
                summary(found, in: &html)
            }
            html.element("section", ["aria-labelledby": "steps-title"]) { html in
                html.element("h2", ["id": "steps-title"], text: "Steps")
                html.element("ol", ["id": "steps", "class": "steps", "data-refresh": ""]) { html in
                    for (step, logs) in found.steps.prefix(Self.stepLimit)
                    where step["hidden"] != true {
                        item(step, logs, found.excerpts[step.int("stepid")], in: &html)
                    }
                }
                pager(offset, Self.stepLimit, found.steps.count, in: &html)
                if let log = found.steps.last(where: { $0.step.isRunning })?.logs.last {
                    tail(log, in: &html)
                }
            }
            if !found.changes.isEmpty {
                changeTable(found.changes, in: &html)
                if found.changes.count > Self.rowLimit {
                    html.element("p", text: "These are the newest \(Self.rowLimit) changes.")
                }
            }
            properties(found.properties, in: &html)
        }
    }

    private func summary(_ found: BuildRecords, in html: inout HTML) {
        let build = found.build
        html.element("p", ["class": "state"]) { html in
            html.badge(build.results, isRunning: build.isRunning)
            html.text(" ")
            html.text(build.string("state_string"))
        }
        html.element("dl") { html in
            html.fact("Builder") {
                $0.link(
                    address(builder: found.builder.int("builderid")), found.builder.string("name"))
            }
            if let buildset = found.buildset {
                html.fact("Reason") { html in
                    let reason = buildset.string("reason").shortened(to: 500)
                    guard let parent = buildset["parent_buildid"]?.intValue else {
                        return html.text(reason)
                    }
                    html.link(site.home + "builds/\(parent)", reason)
                }
                for stamp in buildset["sourcestamps"]?.arrayValue ?? [] {
                    let parts = ["repository", "branch", "revision"].compactMap {
                        stamp[$0]?.stringValue
                    }.filter { !$0.isEmpty }
                    if !parts.isEmpty {
                        html.fact("Source") {
                            $0.text(parts.joined(separator: " ").shortened(to: 300))
                        }
                    }
                }
            }
            html.fact("Started") { $0.time(build["started_at"]) }
            html.fact("Duration") { $0.duration(of: build, at: now) }
            html.fact("Worker") { $0.text(found.worker?.string("name") ?? "") }
            let users = found.users
            if !users.isEmpty {
                html.fact("Responsible") {
                    $0.text(users.joined(separator: ", ").shortened(to: 500))
                }
            }
        }
        guard mayControl else { return }
        html.element("div", ["class": "actions"]) { html in
            let address = site.home + "builds/\(build.int("buildid"))"
            if build["complete"] == true {
                html.action(address + "/rebuild", "Rebuild", visitor, site)
            } else {
                html.action(address + "/stop", "Stop", visitor, site)
            }
        }
    }

    private func item(
        _ step: JSONObject, _ logs: [JSONObject], _ excerpt: Excerpt?, in html: inout HTML
    ) {
        html.element("li") { html in
            html.element("span", ["class": "step"]) { html in
                html.badge(step.results, isRunning: step.isRunning)
                html.element("strong", text: step.string("name").shortened(to: 100))
                html.element("span", text: step.string("state_string").shortened(to: 160))
                html.element("span", ["class": "dim"]) { $0.duration(of: step, at: now) }
            }
            let links = step["urls"]?.arrayValue ?? []
            guard !logs.isEmpty || !links.isEmpty else { return }
            html.element("span", ["class": "links"]) { html in
                for log in logs {
                    html.element("a", ["href": site.home + "logs/\(log.int("logid"))"]) { html in
                        html.text("\(log.string("name")) (")
                        html.lineCount(of: log)
                        html.text(")")
                    }
                }
                for link in links.prefix(20) {
                    html.link(
                        elsewhere: link["url"]?.stringValue ?? "",
                        link["name"]?.stringValue ?? "link")
                }
            }
            if let excerpt { add(excerpt, in: &html) }
        }
    }

    private func properties(_ properties: JSONObject, in html: inout HTML) {
        html.element("details") { html in
            html.element("summary", text: "Properties (\(properties.count))")
            html.table("Properties", id: "properties", columns: ["Name", "Value", "Source"]) {
                html in
                for (name, entry) in properties.prefix(Self.propertyLimit) {
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], text: name.shortened(to: 100))
                        let value = entry[0] ?? .null
                        let text = value.stringValue ?? JSONWriter.compact.string(value)
                        html.element("td") { $0.element("code", text: text.shortened(to: 150)) }
                        html.element("td", text: entry[1]?.stringValue ?? "")
                    }
                }
            }
            if properties.count > Self.propertyLimit {
                html.element("p", text: "These are the first \(Self.propertyLimit) properties.")
            }
        }
    }
}

extension String {
    /// The text, or its beginning with an ellipsis.
    func shortened(to count: Int) -> String {
        guard let end = index(startIndex, offsetBy: count, limitedBy: endIndex), end < endIndex
        else { return self }
        return self[..<end] + "…"
    }
}
