import MasterKit
import MasterRuntime

extension Benchmark {
    /// How long a report takes from what it is about to its receiver.
    ///
    /// A start is counted from before the build was asked for, an end from the last thing that the
    /// last step did, so that what is stored in between counts.
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
