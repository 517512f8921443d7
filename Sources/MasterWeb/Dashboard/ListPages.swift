internal import FoundationEssentials
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// Pending requests, workers and schedulers.
extension Dashboard {
    // MARK: Requests

    func requestsPage() async throws -> Response {
        let pending =
            try await records(
                ["buildrequests"],
                [
                    "claimed": "false", "complete": "false", "order": "-priority",
                    "order": "submitted_at", "limit": "\(Self.rowLimit + 1)",
                    "offset": "\(offset)",
                ]) ?? []
        let builders = try await builderNames()
        let reasons = try await reasons(of: pending)
        return page("Pending requests", "requests", ["buildrequests/*/*"]) { html in
            guard !pending.isEmpty else {
                html.element("p", text: "No requests are waiting.")
                return
            }
            requestTable(
                Array(pending.prefix(Self.rowLimit)), named: builders, reasons: reasons, in: &html)
            pager(offset, Self.rowLimit, pending.count, in: &html)
        }
    }

    /// The names of the builders by id.
    func builderNames() async throws -> [Int: String] {
        let builders =
            try await records(
                ["builders"], ["field": "builderid", "field": "name"]) ?? []
        return Dictionary(
            builders.map { ($0.int("builderid"), $0.string("name")) },
            uniquingKeysWith: { one, _ in one })
    }

    /// The reasons of requests by the ids of their buildsets.
    func reasons(of requests: [JSONObject]) async throws -> [Int: String] {
        guard !requests.isEmpty else { return [:] }
        let ids = Set(requests.map { $0.int("buildsetid") })
        let buildsets =
            try await records(
                ["buildsets"],
                [("field", "bsid"), ("field", "reason")] + ids.map { ("bsid", "\($0)") }) ?? []
        return Dictionary(
            buildsets.map { ($0.int("bsid"), $0.string("reason")) },
            uniquingKeysWith: { one, _ in one })
    }

    func requestTable(
        _ requests: [JSONObject], named builders: [Int: String], reasons: [Int: String],
        in html: inout HTML
    ) {
        let waits = site.master.requestWaits
        html.table(
            "Pending requests", id: "requests",
            columns: ["Request", "Builder", "Reason", "Waits for", "Priority", "Since", ""]
        ) { html in
            for request in requests {
                let (id, builder) = (request.int("buildrequestid"), request.int("builderid"))
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], text: "\(id)")
                    html.element("td") {
                        $0.link(
                            address(builder: builder), builders[builder] ?? "builder \(builder)")
                    }
                    let reason = reasons[request.int("buildsetid")] ?? ""
                    html.element("td", text: reason.shortened(to: 200))
                    html.element(
                        "td", text: (waits[id] ?? "requests before it").shortened(to: 200))
                    html.element("td", text: "\(request.int("priority"))")
                    html.element("td") { $0.time(request["submitted_at"]) }
                    html.element("td") { html in
                        guard mayControl else { return }
                        html.action(
                            site.home + "requests/\(id)/cancel", "Cancel", visitor, site,
                            describing: "request \(id)")
                    }
                }
            }
        }
    }

    // MARK: Workers

    /// The most workers on a page.
    private static let workerLimit = 100

    func workersPage() async throws -> Response {
        let workers =
            try await records(
                ["workers"],
                ["order": "name", "limit": "\(Self.workerLimit + 1)", "offset": "\(offset)"]) ?? []
        let running =
            try await records(["builds"], ["complete": "false", "order": "-buildid"]) ?? []
        let builders = try await builderNames()
        return page("Workers", "workers", ["workers/*/*", "builds/*/*"]) { html in
            html.table(
                "Workers", id: "workers", columns: ["Worker", "State", "Builds", "Host", ""]
            ) { html in
                for worker in workers.prefix(Self.workerLimit) {
                    let id = worker.int("workerid")
                    row(worker, running.filter { $0.int("workerid") == id }, builders, in: &html)
                }
            }
            pager(offset, Self.workerLimit, workers.count, in: &html)
        }
    }

    private func row(
        _ worker: JSONObject, _ builds: [JSONObject], _ builders: [Int: String],
        in html: inout HTML
    ) {
        let (id, name) = (worker.int("workerid"), worker.string("name"))
        let isPaused = worker["paused"] == true
        let isConnected = worker["connected_to"]?.arrayValue?.isEmpty == false
        html.element("tr") { html in
            html.element("th", ["scope": "row"], text: name)
            html.element("td") { html in
                html.element(
                    "span", ["class": "badge \(isConnected ? "success" : "pending")"],
                    text: isConnected ? "connected" : "not connected")
                guard isPaused else { return }
                html.text(" ")
                html.element("span", ["class": "badge warnings"], text: "paused")
                html.text(" " + worker.string("pause_reason").shortened(to: 120))
            }
            html.element("td") { html in
                html.element("span", ["class": "chips"]) { html in
                    for build in builds {
                        let builder = (builders[build.int("builderid")] ?? "").isolated
                        html.link(
                            address(of: build), "\(builder) #\(build.int("number"))",
                            "chip running")
                    }
                }
            }
            let info = worker["workerinfo"]
            html.element("td", text: (info?["host"]?.stringValue ?? "").shortened(to: 80))
            html.element("td") { html in
                guard mayControl else { return }
                html.action(
                    site.home + "workers/\(id)/\(isPaused ? "unpause" : "pause")",
                    isPaused ? "Unpause" : "Pause", visitor, site, describing: name)
            }
        }
    }

    // MARK: Schedulers

    func schedulersPage() async throws -> Response {
        let schedulers = try await records(["schedulers"], ["order": "name"]) ?? []
        let forcing = try await records(["forceschedulers"]) ?? []
        let waits = site.master.schedulerWaits
        // Changes and ends of builds are what most of them wait for.
        let live = ["schedulers/*/*", "changes/*/*", "buildsets/*/*"]
        return page("Schedulers", "schedulers", live) { html in
            html.table(
                "Schedulers", id: "schedulers", columns: ["Scheduler", "State", "Waits for", ""]
            ) { html in
                for scheduler in schedulers {
                    let name = scheduler.string("name")
                    let isEnabled = scheduler["enabled"] != false
                    html.element("tr") { html in
                        html.element("th", ["scope": "row"], text: name)
                        html.element("td", text: isEnabled ? "enabled" : "disabled")
                        html.element("td") { html in
                            guard isEnabled, let wait = waits[name] else { return }
                            show(wait, in: &html)
                        }
                        html.element("td") { html in
                            guard mayControl else { return }
                            html.element("div", ["class": "actions"]) { html in
                                let force = forcing.first { $0.string("name") == name }
                                actions(of: scheduler, force, in: &html)
                            }
                        }
                    }
                }
            }
            if schedulers.isEmpty { html.element("p", text: "There are no schedulers.") }
        }
    }

    private func actions(
        of scheduler: JSONObject, _ force: JSONObject?, in html: inout HTML
    ) {
        let name = scheduler.string("name")
        let isEnabled = scheduler["enabled"] != false
        html.action(
            site.home + "schedulers/\(scheduler.int("schedulerid"))/"
                + (isEnabled ? "disable" : "enable"),
            isEnabled ? "Disable" : "Enable", visitor, site, describing: name)
        guard let force else { return }
        let button = force.string("button_name")
        html.link(
            site.home + "force/" + name.percentEncoded, button.isEmpty ? "Force" : button,
            "button")
    }

    private func show(_ wait: SchedulerWait, in html: inout HTML) {
        html.text(wait.words.shortened(to: 200))
        guard let moment = wait.until else { return }
        if case .time = wait { html.text(", ") } else { html.text(" until ") }
        html.time(.double(moment.timeIntervalSince1970))
    }

    // MARK: All

    func page(
        _ title: String, _ section: String, _ live: [String],
        _ content: (inout HTML) -> Void
    ) -> Response {
        Page(site: site, visitor: visitor, title: title, live: live, section: section)
            .response(content)
    }
}
