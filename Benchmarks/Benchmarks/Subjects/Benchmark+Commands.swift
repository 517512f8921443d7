import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures the overhead of a command step over running its program.
    static let commands = Benchmark(
        name: "commands", summary: "a build of 200 command steps beside posix_spawn and wait"
    ) {
        let step = "  - steps.ShellCommand: {command: [/bin/true]}\n"
        var ours: [Double] = []
        var reference: [Double] = []
        try await Master.measured("steps:\n" + String(repeating: step, count: count)) {
            master in
            for round in 0...rounds {
                let spawned = try Program.costs(["spawn", "\(count)", "/bin/true"])[0].seconds
                let built = try await Cost.of { try await master.buildOnce() }.time
                guard round > 0 else { continue }
                reference.append(spawned * 1e3 / Double(count))
                ours.append(built * 1e3 / Double(count))
            }
        }
        return [
            Row(
                "time of a command step", reference: .median(reference, .milliseconds),
                ours: .median(ours, .milliseconds), .timesReference(atMost: 1.7))
        ]
    }

    private static let count = 200
    private static let rounds = 5
}
