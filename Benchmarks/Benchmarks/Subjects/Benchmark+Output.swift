import Foundation
import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures how fast output is written to a log, and the memory that takes.
    ///
    /// Each file is removed before the next one is written, so that both sides get memory that the
    /// machine has used before: on a virtual machine other memory takes three times as long.
    static let output = Benchmark(
        name: "output",
        summary: "the log of a command beside command | cat > file, and the memory for 1 GB"
    ) {
        let scratch = try Scratch()
        let line = "a line of output as a compiler may print it, of some eighty characters …\n"
        let file = try scratch.write(
            String(repeating: line, count: megabytes * 1_000_000 / line.utf8.count),
            to: "output")
        let copy = "\(scratch.path)/copy"
        var ours: [Double] = []
        var reference: [Double] = []
        let yaml = "steps: [{steps.ShellCommand: {command: cat \(file), max_log_size: 0}}]"
        try await Master.measured(yaml, in: scratch) { master in
            for round in 0...rounds {
                let copied = try Program.time(
                    1, ["sh", "-c", "cat \(file) | cat > \(copy)"])[0].seconds
                try FileManager.default.removeItem(atPath: copy)
                let logged = try await Cost.of { try await master.buildOnce() }.time
                try FileManager.default.removeItem(atPath: "\(scratch.path)/state/logs")
                guard round > 0 else { continue }
                reference.append(Double(megabytes) / copied)
                ours.append(Double(megabytes) / logged)
            }
        }
        return [
            Row(
                "output into a log", reference: .median(reference, .megabytesPerSecond),
                ours: .median(ours, .megabytesPerSecond), .timesReferenceAtLeast(0.6)),
            Row(
                "memory of a run with 1 GB of output",
                reference: try memory(of: "true", scratch),
                ours: try memory(of: "cat" + String(repeating: " \(file)", count: 4), scratch),
                .overReference(atMost: 8)),
        ]
    }

    private static let megabytes = 256
    private static let rounds = 3

    private static func memory(of command: String, _ scratch: Scratch) throws -> Figure {
        let file = try scratch.write(
            "steps: [{steps.ShellCommand: {command: \(command), max_log_size: 0}}]",
            to: "run.yaml")
        let run = try Program.time(
            1, [Program.buildmaster.path, "run", "-c", file, "--basedir", "\(scratch.path)/state"])
        return .median(run.map(\.residentMegabytes), .megabytes)
    }
}
