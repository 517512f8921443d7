import MasterKit

extension Benchmark {
    /// Measures the cost of a request compared to libcurl in C.
    static let posts = Benchmark(
        name: "posts", summary: "POSTs of 2 KB beside libcurl's multi interface in C"
    ) {
        try await Receiver.with { receiver in
            let many = try await compare(receiver.url, count: 20_000, inFlight: 16)
            let single = try await compare(receiver.url, count: 4_000, inFlight: 1)
            return [
                Row(
                    "CPU of a POST, 16 in flight", reference: many.reference.cpu,
                    ours: many.ours.cpu, .timesReference(atMost: 1.5)),
                Row(
                    "POSTs, 16 in flight", reference: many.reference.rate, ours: many.ours.rate,
                    .timesReferenceAtLeast(0.8)),
                Row(
                    "POSTs, one at a time", reference: single.reference.rate,
                    ours: single.ours.rate, .timesReferenceAtLeast(0.5)),
            ]
        }
    }

    private static let rounds = 5
    private static let byteCount = 2048

    /// The median CPU time per request and the median number of requests per second.
    private struct Costs {
        let cpu: Figure
        let rate: Figure

        init(_ costs: [Cost], count: Int) {
            cpu = .median(costs.map { $0.cpu * 1e6 / Double(count) }, .microseconds)
            rate = .median(costs.map { Double(count) / $0.time }, .perSecond)
        }
    }

    private static func compare(
        _ url: String, count: Int, inFlight: Int
    ) async throws -> (reference: Costs, ours: Costs) {
        var reference: [Cost] = []
        var ours: [Cost] = []
        try await withHTTPClient { http in
            for round in 0...rounds {
                let plain = try Program.costs(
                    ["post", url, "\(count)", "\(byteCount)", "\(inFlight)"])[0]
                let own = try await Cost.of {
                    try await post(http, url, count: count, inFlight: inFlight)
                }
                guard round > 0 else { continue }
                reference.append(Cost(time: plain.seconds, cpu: plain.cpuSeconds))
                ours.append(own)
            }
        }
        return (Costs(reference, count: count), Costs(ours, count: count))
    }

    private static func post(
        _ http: HTTPClient, _ url: String, count: Int, inFlight: Int
    ) async throws {
        var request = HTTPRequest(
            .post, url, body: .json([UInt8](repeating: UInt8(ascii: "x"), count: byteCount)))
        request.recordsRequestHeaders = false
        try await withThrowingTaskGroup { [request] group in
            for sender in 0..<inFlight {
                group.addTask {
                    for _ in stride(from: sender, to: count, by: inFlight) {
                        _ = try await http.send(request)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
