import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures the latency of a report, from its event to its receiver.
    ///
    /// The report of a start is timed from before the build is requested, and that of an end from
    /// the last action of the last step, so that storing the records is included.
    static let events = Benchmark(
        name: "events", summary: "from an event to the POST received, on an idle master"
    ) {
        try await Receiver.with { receiver in
            let yaml = """
                services:
                  - reporters.HttpStatusPush: \(receiver.url)
                steps:
                  - steps.Mark
                """
            var starts: [Double] = []
            var ends: [Double] = []
            try await Master.measured(yaml) { master in
                for round in 0..<(rounds + warmUp) {
                    let asked = Moment.now()
                    try await master.buildOnce()
                    let received = try await receiver.moments(2)
                    guard round >= warmUp else { continue }
                    starts.append(Double(received[0] - asked) / 1e6)
                    ends.append(Double(received[1] - Marks.shared.last) / 1e6)
                }
            }
            return [
                Row("start of a build → POST", ours: .median(starts, .milliseconds), .atMost(3)),
                Row("end of a build → POST", ours: .median(ends, .milliseconds), .atMost(3)),
            ]
        }
    }

    private static let rounds = 100
    private static let warmUp = 10
}
