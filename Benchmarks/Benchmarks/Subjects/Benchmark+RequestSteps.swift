import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures the overhead of a step over the request that it sends.
    static let requestSteps = Benchmark(
        name: "request-steps", summary: "a build of 200 POST steps beside 200 bare requests"
    ) {
        try await Receiver.with { receiver in
            let step = """
                  - steps.POST:
                      url: \(receiver.url)
                      data:
                        builder: !Property buildername
                        buildnumber: !Property buildnumber
                        workername: !Property workername
                        revision: !Property {key: got_revision, default: null}

                """
            let yaml = "steps:\n" + String(repeating: step, count: count)
            var bare: [Cost] = []
            var steps: [Cost] = []
            try await Master.measured(yaml) { master in
                for round in 0...rounds {
                    let request = try await requests(to: receiver.url)
                    let build = try await Cost.of { try await master.buildOnce() }
                    guard round > 0 else { continue }
                    bare.append(request)
                    steps.append(build)
                }
            }
            return [
                row("time of a POST step", bare.map(\.time), steps.map(\.time), atMost: 2),
                row("CPU of a POST step", bare.map(\.cpu), steps.map(\.cpu), atMost: 0.6),
            ]
        }
    }

    private static let count = 200
    private static let rounds = 9

    private static func requests(to url: String) async throws -> Cost {
        try await withHTTPClient { http in
            let session = http.makeSession()
            let form = HTTPBody.form([
                HTTPPair("builder", "default"), HTTPPair("buildnumber", "1"),
                HTTPPair("workername", "local"),
            ])
            return try await Cost.of {
                for _ in 0..<count {
                    _ = try await http.send(HTTPRequest(.post, url, body: form), in: session)
                }
            }
        }
    }

    private static func row(
        _ what: String, _ bare: [Double], _ steps: [Double], atMost limit: Double
    ) -> Row {
        let each = { (seconds: Double) in seconds * 1e3 / Double(count) }
        return Row(
            what, reference: .median(bare.map(each), .milliseconds),
            ours: .median(steps.map(each), .milliseconds), .overReference(atMost: limit))
    }
}
