internal import FoundationEssentials
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime

/// The reports that have not been delivered, and the endpoints to which nothing is sent.
extension Dashboard {
    func deliveriesPage() async throws -> Response {
        let deliveries = try await undelivered()
        let closed = try await closedReporters()
        return page("Deliveries", "deliveries", []) { html in
            if !closed.isEmpty { closedTable(closed, in: &html) }
            guard !deliveries.isEmpty else {
                html.element("p", text: "Every report has been delivered.")
                return
            }
            html.table(
                "Reports that have not been delivered", id: "deliveries",
                columns: ["Report", "Reporter", "State", "Tries", "Next try", "Error", ""]
            ) { html in
                for delivery in deliveries { row(delivery, in: &html) }
            }
        }
    }

    /// The oldest reports that have not been delivered.
    private func undelivered() async throws -> [DeliveryRecord] {
        struct Enough: Error { let records: [DeliveryRecord] }
        do {
            try await DeliveryAdmin.with(folder: site.master.basedir) { admin in
                try await admin?.forEachPage(
                    of: DeliveryFilter(states: [.open, .parked, .dead])
                ) { page in
                    throw Enough(records: Array(page.prefix(Self.rowLimit * 2)))
                }
            }
            return []
        } catch let enough as Enough {
            return enough.records
        }
    }

    private func row(_ delivery: DeliveryRecord, in html: inout HTML) {
        let kind: String
        switch delivery.state {
        case .open: kind = "running"
        case .dead: kind = "failure"
        case .parked, .delivered, .nothing: kind = "pending"
        }
        html.element("tr") { html in
            html.element("th", ["scope": "row"], text: delivery.subject)
            html.element("td", text: delivery.reporter)
            html.element("td") {
                $0.element("span", ["class": "badge \(kind)"], text: delivery.state.rawValue)
            }
            html.element("td", text: "\(delivery.attempts)")
            html.element("td") { html in
                guard delivery.state == .open, let next = delivery.nextTry else { return }
                html.time(.double(next.timeIntervalSince1970))
            }
            html.element("td", text: (delivery.error ?? "").shortened(to: 200))
            html.element("td") { html in
                guard mayControl else { return }
                for (verb, label) in [("retry", "Retry"), ("drop", "Drop")] {
                    html.action(
                        site.home + "deliveries/\(delivery.id)/\(verb)", label, visitor, site,
                        describing: "report \(delivery.subject)")
                }
            }
        }
    }

    // MARK: Closed endpoints

    /// The reporters to which nothing is sent, as their endpoints have answered 410.
    private func closedReporters() async throws -> [ReporterRecord] {
        try await DeliveryAdmin.with(folder: site.master.basedir) { admin in
            try await admin?.reporters().filter { $0.closedAt != nil } ?? []
        }
    }

    private func closedTable(_ reporters: [ReporterRecord], in html: inout HTML) {
        html.table(
            "Closed endpoints, whose reports are kept until they are resumed", id: "closed",
            columns: ["Reporter", "Since", "Reason", ""]
        ) { html in
            for reporter in reporters {
                html.element("tr") { html in
                    html.element("th", ["scope": "row"], text: reporter.name)
                    html.element("td") { html in
                        html.time(reporter.closedAt.map { .double($0.timeIntervalSince1970) })
                    }
                    html.element("td", text: (reporter.closedReason ?? "").shortened(to: 200))
                    html.element("td") { html in
                        guard mayControl else { return }
                        html.action(
                            site.home + "deliveries/\(reporter.name.percentEncoded)/resume",
                            "Resume", visitor, site, describing: "deliveries of \(reporter.name)")
                    }
                }
            }
        }
    }

    /// Has the reports of a reporter sent again whose endpoint is closed.
    func resume(reporter name: String) async throws {
        let wasClosed = try await DeliveryAdmin.with(folder: site.master.basedir) { admin in
            try await admin?.resume(reporter: name)
        }
        guard wasClosed != nil else { throw WebFault.notFound }
    }

    // MARK: Decisions

    /// Has a report sent again at once, or never again.
    func change(delivery id: Int, drops: Bool) async throws {
        try await DeliveryAdmin.with(folder: site.master.basedir) { admin in
            if drops {
                _ = try await admin?.drop(DeliveryFilter(ids: [id]))
            } else {
                _ = try await admin?.retry(DeliveryFilter(ids: [id]))
            }
        }
    }
}
