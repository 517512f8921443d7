extension Benchmark {
    /// Measures how long the program itself takes, from start to exit.
    static let programs = Benchmark(
        name: "programs",
        summary: "--version, check of 1,000 lines and run of one step, as whole processes"
    ) {
        let scratch = try Scratch()
        let long = try scratch.write(longFile, to: "long.yaml")
        let short = try scratch.write(
            "steps: [{steps.SetProperty: {property: a, value: 1}}]\n", to: "short.yaml")
        let state = "\(scratch.path)/state"
        var runs = Runs()
        for _ in 0..<rounds {
            try runs.empty.append(contentsOf: Program.time(1, [Program.empty.path]))
            try runs.version.append(
                contentsOf: Program.time(1, [Program.buildmaster.path, "--version"]))
            try runs.check.append(
                contentsOf: Program.time(1, [Program.buildmaster.path, "check", "-c", long]))
            try runs.run.append(
                contentsOf: Program.time(
                    1, [Program.buildmaster.path, "run", "-c", short, "--basedir", state]))
        }
        return [
            Row(
                "--version", reference: time(runs.empty), ours: time(runs.version), .atMost(12)),
            Row(
                "check of 1,000 lines over --version", reference: time(runs.version),
                ours: time(runs.check), .overReference(atMost: 10)),
            Row(
                "run of one step", reference: time(runs.empty), ours: time(runs.run), .atMost(50)),
            Row(
                "memory of a run of one step",
                reference: .median(runs.empty.map(\.residentMegabytes), .megabytes),
                ours: .median(runs.run.map(\.residentMegabytes), .megabytes), .atMost(35)),
        ]
    }

    private static let rounds = 21

    /// The runs of each program, which are interleaved.
    private struct Runs {
        var empty: [Program.Run] = []
        var version: [Program.Run] = []
        var check: [Program.Run] = []
        var run: [Program.Run] = []
    }

    private static func time(_ runs: [Program.Run]) -> Figure {
        .median(runs.map { $0.seconds * 1e3 }, .milliseconds)
    }

    /// A file of 1,000 lines: 90 builders with two steps each.
    private static let longFile: String = {
        let builders = (0..<90).map { number in
            """
              - name: builder \(number)
                tags: [fast, "\(number)"]
                steps:
                  - steps.ShellCommand:
                      command: [make, -j4, target\(number)]
                      haltOnFailure: true
                  - steps.POST:
                      url: http://127.0.0.1:9980/builds
                      data:
                        builder: !Property buildername
                        text: !Interpolate "%(prop:buildername)s #%(prop:buildnumber)s"

            """
        }
        let comments = String(repeating: "# a comment\n", count: 9)
        return comments + "builders:\n" + builders.joined()
    }()
}
