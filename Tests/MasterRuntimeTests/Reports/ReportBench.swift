import MasterKit
import MasterRuntime
import MasterTesting
import Testing

/// A master with reporters, and the requests a receiver gets from it.
struct ReportBench {
    /// The bodies received in one run, by the last path component, in order.
    let bodies: [String: [JSONValue]]
    /// The state of every delivery.
    let deliveries: [DeliveryStatus]

    /// Runs a master.yaml once; `SERVER` in it stands for the receiver's URL.
    static func run(
        _ yaml: String, builders: [String]? = nil, properties: JSONObject = [:], slots: Int = 1,
        scripts: [String: Scripts.Script] = [:],
        stoppingWhen isTime: (@Sendable (Event) -> Bool)? = nil
    ) async throws -> ReportBench {
        try await withLoopbackServer { server in
            let text = yaml.replacing("SERVER", with: server.url)
            return try await MasterBench.with(text, scripts: scripts) { bench in
                let deliveries = try await bench.run(slots: slots) { master in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        if let isTime { group.addTask { await master.stop(when: isTime) } }
                        let request = BuildsetRequest(
                            builders: builders, reason: "test",
                            sourceStamps: [SourceStamp(branch: "", revision: "")],
                            properties: Properties(properties, source: "command line"))
                        _ = try await master.wait(for: try await master.submit(request))
                        group.cancelAll()
                    }
                    return try await master.drain(for: .seconds(10))
                }
                return ReportBench(
                    bodies: try Dictionary(grouping: server.requests) {
                        String($0.path.dropFirst())
                    }.mapValues { try $0.map { try JSONValue(parsing: $0.body) } },
                    deliveries: deliveries.deliveries)
            }
        }
    }
}

extension Master {
    /// Stops the builds when a matching event occurs.
    fileprivate func stop(when isTime: @Sendable (Event) -> Bool) async {
        await events.withSubscription(to: Set(EventKind.allCases), bound: 10_000) { events in
            for await case .event(let event) in events where isTime(event) {
                await stop(reason: "no longer needed")
                return
            }
        }
    }
}
