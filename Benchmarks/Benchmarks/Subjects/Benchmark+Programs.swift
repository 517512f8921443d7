extension Benchmark {
    /// How long the program itself takes, from its start to its end.
    static let programs = Benchmark(
        name: "programs", summary: "check of 1,000 lines, and run of one step, as whole processes"
    ) {
        let scratch = try Scratch()
        let long = try scratch.write(longFile, to: "long.yaml")
        let short = try scratch.write(
            "steps: [{steps.SetProperty: {property: a, value: 1}}]\n", to: "short.yaml")
        let empty = try Program.time(runs, [Program.empty.path])
        let check = try Program.time(runs, [Program.buildmaster.path, "check", "-c", long])
        let run = try Program.time(
            runs,
            [
                Program.buildmaster.path, "run", "-c", short, "--basedir",
                "\(scratch.path)/state",
            ]
        )
        let start = Figure.median(empty.map { $0.seconds * 1e3 }, .milliseconds)
        return [
            Row(
                "check of 1,000 lines", reference: start,
                ours: .median(check.map { $0.seconds * 1e3 }, .milliseconds), .atMost(20)),
            Row(
                "run of one step", reference: start,
                ours: .median(run.map { $0.seconds * 1e3 }, .milliseconds), .atMost(50)),
            Row(
                "memory of a run of one step",
                reference: .median(empty.map(\.residentMegabytes), .megabytes),
                ours: .median(run.map(\.residentMegabytes), .megabytes), .atMost(35)),
        ]
    }

    private static let runs = 21

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
