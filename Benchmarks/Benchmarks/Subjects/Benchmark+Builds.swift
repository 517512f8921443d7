import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures how many builds per second are stored and reported.
    static let builds = Benchmark(
        name: "builds", summary: "builds a second of one step, stored, start and end delivered"
    ) {
        try await Receiver.with { receiver in
            let yaml = """
                services:
                  - reporters.HttpStatusPush: \(receiver.url)
                steps:
                  - steps.SetProperty: {property: a, value: 1}
                """
            var rates: [Double] = []
            for _ in 0..<rounds {
                try await Master.measured(yaml) { master in
                    try await build(warmUp, master, receiver)
                    let cost = try await Cost.of { try await build(count, master, receiver) }
                    rates.append(Double(count) / cost.time)
                }
            }
            return [
                Row(
                    "builds, stored and delivered", ours: .median(rates, .perSecond), .atLeast(1500)
                )
            ]
        }
    }

    private static let count = 2000
    private static let warmUp = 50
    private static let rounds = 3

    /// Runs `count` builds and waits until every report has been received.
    private static func build(_ count: Int, _ master: Master, _ receiver: Receiver) async throws {
        try await master.build(count)
        try await receiver.moments(2 * count)
    }
}
