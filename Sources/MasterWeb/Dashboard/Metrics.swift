internal import FoundationEssentials
internal import HTTPTypes
internal import HummingbirdCore
internal import MasterKit
internal import MasterRuntime
internal import NIOCore

/// `/metrics`: numbers for Prometheus, in its text format.
struct Metrics: Sendable {
    let site: WebSite

    func response() async throws -> Response {
        let status = try await site.master.status()
        let counts = try await site.master.metrics()
        var text = Text()
        text.family("buildmaster_builds_total", "counter", "Builds that have ended, by result.")
        for (results, count) in counts.builds.sorted(by: { $0.key < $1.key }) {
            let name = Results(rawValue: results)?.name ?? "\(results)"
            text.sample("buildmaster_builds_total", ["result": name], Double(count))
        }
        text.family("buildmaster_build_seconds_total", "counter", "The time of ended builds.")
        text.sample("buildmaster_build_seconds_total", [:], counts.buildSeconds)
        steps(counts.store, in: &text)
        builders(status["builders"]?.arrayValue ?? [], in: &text)
        text.family(
            "buildmaster_oldest_request_seconds", "gauge",
            "How long the oldest pending request has been waiting.")
        text.sample("buildmaster_oldest_request_seconds", [:], Self.age(counts.oldestRequest))
        text.family("buildmaster_deliveries", "gauge", "Reports by state.")
        for state in ["open", "parked", "dead", "delivered", "nothing"] {
            text.sample(
                "buildmaster_deliveries", ["state": state], Double(counts.deliveries[state] ?? 0))
        }
        text.family(
            "buildmaster_oldest_delivery_seconds", "gauge",
            "How long the oldest report has been waiting to be sent.")
        text.sample("buildmaster_oldest_delivery_seconds", [:], Self.age(counts.oldestDelivery))
        workers(status["workers"]?.arrayValue ?? [], in: &text)
        problems(status, in: &text)
        text.family("buildmaster_store_commits_total", "counter", "Commits since the start.")
        text.sample("buildmaster_store_commits_total", [:], Double(counts.store.commits))
        text.family(
            "buildmaster_store_commit_seconds_total", "counter",
            "The time of the commits since the start.")
        text.sample("buildmaster_store_commit_seconds_total", [:], counts.store.commitSeconds)
        text.family("buildmaster_live_clients", "gauge", "Clients of /ws and /sse.")
        text.sample("buildmaster_live_clients", [:], Double(site.hub.clientCount))
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
    }

    /// How long ago a time was, or 0.
    private static func age(_ time: Double?) -> Double {
        time.map { max(0, Date().timeIntervalSince1970 - $0) } ?? 0
    }

    private func steps(_ store: StoreActivity, in text: inout Text) {
        let steps = store.steps.sorted { $0.key.rawValue < $1.key.rawValue }
        text.family(
            "buildmaster_steps_total", "counter",
            "Steps that have ended since the start, by result.")
        for (results, all) in steps {
            text.sample("buildmaster_steps_total", ["result": results.name], Double(all.count))
        }
        text.family(
            "buildmaster_step_seconds_total", "counter",
            "The time of the steps that have ended since the start, by result.")
        for (results, all) in steps {
            text.sample("buildmaster_step_seconds_total", ["result": results.name], all.seconds)
        }
    }

    private func builders(_ builders: [JSONValue], in text: inout Text) {
        text.family("buildmaster_builds_running", "gauge", "Builds that are running, by builder.")
        text.family("buildmaster_requests_pending", "gauge", "Requests that wait, by builder.")
        for builder in builders {
            let labels = ["builder": builder["name"]?.stringValue ?? ""]
            text.sample(
                "buildmaster_builds_running", labels,
                Double(builder["running"]?.arrayValue?.count ?? 0))
            text.sample(
                "buildmaster_requests_pending", labels, builder["pending"]?.doubleValue ?? 0)
        }
    }

    private func workers(_ workers: [JSONValue], in text: inout Text) {
        text.family("buildmaster_worker_connected", "gauge", "Whether a worker is connected.")
        text.family("buildmaster_worker_slots", "gauge", "Builds that a worker takes at a time.")
        text.family("buildmaster_worker_slots_used", "gauge", "Builds that run on a worker.")
        for worker in workers {
            let labels = ["worker": worker["name"]?.stringValue ?? ""]
            text.sample(
                "buildmaster_worker_connected", labels, worker["connected"] == true ? 1 : 0)
            text.sample(
                "buildmaster_worker_slots", labels, worker["max_builds"]?.doubleValue ?? 0)
            text.sample(
                "buildmaster_worker_slots_used", labels,
                Double(worker["building"]?.arrayValue?.count ?? 0))
        }
    }

    private func problems(_ status: JSONObject, in text: inout Text) {
        text.family(
            "buildmaster_plugin_problem", "gauge",
            "Whether something keeps a reporter, service, change source or scheduler from its work."
        )
        for kind in ["reporters", "services", "change_sources", "schedulers"] {
            for plugin in status[kind]?.arrayValue ?? [] {
                let name = plugin["name"]?.stringValue ?? ""
                text.sample(
                    "buildmaster_plugin_problem", ["kind": kind, "name": name],
                    plugin["problem"]?.stringValue == nil ? 0 : 1)
            }
        }
    }

    /// Samples in families; those of one family stand together.
    private struct Text {
        private var families: [(name: String, lines: [String])] = []

        var text: String { families.flatMap(\.lines).joined(separator: "\n") + "\n" }

        mutating func family(_ name: String, _ kind: String, _ help: String) {
            families.append((name, ["# HELP \(name) \(help)", "# TYPE \(name) \(kind)"]))
        }

        mutating func sample(_ name: String, _ labels: [String: String], _ value: Double) {
            let list = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.sorted()
            let suffix = list.isEmpty ? "" : "{\(list.joined(separator: ","))}"
            let number =
                value == value.rounded() && abs(value) < 1e15
                ? "\(Int(value))" : "\(value)"
            guard let index = families.firstIndex(where: { $0.name == name }) else { return }
            families[index].lines.append("\(name)\(suffix) \(number)")
        }

        private static func escaped(_ text: String) -> String {
            text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                .replacing("\n", with: "\\n")
        }
    }
}
