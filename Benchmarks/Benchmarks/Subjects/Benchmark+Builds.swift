import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures how many builds per second are stored and reported.
    static let builds = Benchmark(
        name: "builds", summary: "builds a second of one step, stored, start and end delivered"
    ) {
        [
            Row(
                "builds of one builder, one after another", ours: try await rate(of: 1),
                .atLeast(1000)),
            Row(
                "builds of \(builders) builders", ours: try await rate(of: builders),
                .atLeast(1500)),
        ]
    }

    /// A builder runs one build at a time, so several are needed to keep every core busy.
    private static let builders = 16
    private static let count = 2000
    private static let warmUp = 50
    private static let rounds = 3

    private static func rate(of builders: Int) async throws -> Figure {
        let names = (1...builders).map { "builder \($0)" }
        return try await Receiver.with { receiver in
            let yaml = """
                services:
                  - reporters.HttpStatusPush: \(receiver.url)
                builders: [\(names.map { "{name: \($0)}" }.joined(separator: ", "))]
                steps:
                  - steps.SetProperty: {property: a, value: 1}
                """
            var rates: [Double] = []
            for _ in 0..<rounds {
                try await Master.measured(yaml) { master in
                    try await build(warmUp, of: names, master, receiver)
                    let cost = try await Cost.of {
                        try await build(count, of: names, master, receiver)
                    }
                    rates.append(Double(count) / cost.time)
                }
            }
            return .median(rates, .perSecond)
        }
    }

    /// Runs `count` builds and waits until every report has been received.
    private static func build(
        _ count: Int, of builders: [String], _ master: Master, _ receiver: Receiver
    ) async throws {
        try await master.build(count, of: builders)
        try await receiver.moments(2 * count)
    }
}
