import MasterKit
import MasterRuntime

extension Benchmark {
    /// Measures whether a master slows down with the number of steps, builders, stored builds and
    /// reporters.
    static let growth = Benchmark(
        name: "growth",
        summary: "1,000 steps in a build, 2,000 builders, 100,000 stored builds, 100 reporters"
    ) {
        try await steps() + builders() + storedBuilds() + reporters()
    }

    private static let rounds = 5
    private static let count = 1000
    private static let bar = Row.Bar.timesReference(atMost: 1.2)

    /// Measures a step of a long build, as a whole process, beside one of a short build.
    private static func steps() throws -> [Row] {
        let scratch = try Scratch()
        func timeOfRun(steps count: Int) throws -> Double {
            let steps = (0..<count).map { "  - steps.SetProperty: {property: p\($0), value: 1}\n" }
            let file = try scratch.write("steps:\n" + steps.joined(), to: "steps.yaml")
            let arguments = ["run", "-c", file, "--basedir", "\(scratch.path)/state"]
            return try Program.time(1, [Program.buildmaster.path] + arguments)[0].seconds
        }
        var (reference, ours): ([Double], [Double]) = ([], [])
        for round in 0...rounds {
            let one = try timeOfRun(steps: 1)
            let few = try (timeOfRun(steps: 101) - one) / 100
            let many = try (timeOfRun(steps: 1001) - one) / 1000
            guard round > 0 else { continue }
            reference.append(few * 1e6)
            ours.append(many * 1e6)
        }
        return [
            Row(
                "step of a build of 1,000", reference: .median(reference, .microseconds),
                ours: .median(ours, .microseconds), bar)
        ]
    }

    /// Measures builds, cycling through the builders, and the startup of a master whose file is
    /// loaded.
    private static func builders() async throws -> [Row] {
        let (few, many) = (10, 2000)
        let (fewScratch, manyScratch) = (try Scratch(), try Scratch())
        var (reference, ours) = (Costs(), Costs())
        for round in 0...rounds {
            let one = try await measure(builders: few, in: fewScratch)
            let other = try await measure(builders: many, in: manyScratch)
            guard round > 0 else { continue }
            reference.add(one)
            ours.add(other)
        }
        return rows("with 2,000 builders", reference, ours)
    }

    /// Measures builds, and the whole lifetime of a master, in a store with many builds and the
    /// maximum number of delivered reports.
    private static func storedBuilds() async throws -> [Row] {
        try await Receiver.with { receiver in
            let reporter = "services: [{reporters.HttpStatusPush: \(receiver.url)}]\n"
            let (few, yaml) = (names(10), yaml(builders: 10))
            let full = try Scratch()
            try await Master.measured(yaml, in: full) { try await $0.build(94_000, of: few) }
            try await Master.measured(reporter + yaml, in: full) { master in
                try await master.build(6000, of: few)
                try await receiver.moments(12_000)
            }
            var (reference, ours) = (Costs(), Costs())
            for round in 0...rounds {
                let one = try await measure(reporter + yaml, receiver, in: try Scratch())
                let other = try await measure(reporter + yaml, receiver, in: full)
                guard round > 0 else { continue }
                reference.add(one)
                ours.add(other)
            }
            return rows("after 100,000 builds", reference, ours)
        }
    }

    /// Measures the lifetime of a master that runs one build, and the builds of a second master.
    private static func measure(
        _ yaml: String, _ receiver: Receiver, in scratch: Scratch
    ) async throws -> (start: Double, work: Double) {
        let life = try await Cost.of {
            try await Master.measured(yaml, in: scratch) { try await $0.buildOnce(["builder 0"]) }
        }
        let work = try await Master.measured(yaml, in: scratch) { master in
            try await receiver.moments(2)
            return try await Cost.of {
                try await master.build(count, of: names(10))
                try await receiver.moments(2 * count)
            }
        }
        return (life.time, work.time / Double(count))
    }

    /// Compares a report of one of many reporters to that of a single reporter.
    private static func reporters() async throws -> [Row] {
        try await Receiver.with { receiver in
            var (reference, ours) = (Costs(), Costs())
            for round in 0...rounds {
                let one = try await measure(reporters: 1, builds: count, receiver)
                let other = try await measure(reporters: 100, builds: count / 100, receiver)
                guard round > 0 else { continue }
                reference.add(one)
                ours.add(other)
            }
            return [
                Row(
                    "report of one of 100 reporters",
                    reference: .median(reference.works, .microseconds),
                    ours: .median(ours.works, .microseconds), bar),
                Row(
                    "start with 100 reporters", reference: .median(reference.starts, .milliseconds),
                    ours: .median(ours.starts, .milliseconds), bar),
            ]
        }
    }

    /// Startup times in milliseconds, and times per build or report in microseconds.
    private struct Costs {
        var starts: [Double] = []
        var works: [Double] = []

        mutating func add(_ cost: (start: Double, work: Double)) {
            starts.append(cost.start * 1e3)
            works.append(cost.work * 1e6)
        }
    }

    private static func rows(_ what: String, _ reference: Costs, _ ours: Costs) -> [Row] {
        [
            Row(
                "build \(what)", reference: .median(reference.works, .microseconds),
                ours: .median(ours.works, .microseconds), bar),
            Row(
                "start and end \(what)", reference: .median(reference.starts, .milliseconds),
                ours: .median(ours.starts, .milliseconds), bar),
        ]
    }

    private static func measure(
        builders: Int, in scratch: Scratch
    ) async throws -> (start: Double, work: Double) {
        let (yaml, names) = (yaml(builders: builders), names(builders))
        return try await Master.measuredStart(yaml, in: scratch) { master, start in
            // The first build of each builder also stores the builder, so it is not measured.
            try await master.build(builders, of: names)
            let cost = try await Cost.of { try await master.build(count, of: names) }
            return (start, cost.time / Double(count))
        }
    }

    private static func measure(
        reporters: Int, builds: Int, _ receiver: Receiver
    ) async throws -> (start: Double, work: Double) {
        let entries = (0..<reporters).map { number in
            "  - reporters.HttpStatusPush: {name: r\(number), serverUrl: '\(receiver.url)'}\n"
        }
        let yaml =
            "services:\n" + entries.joined()
            + "steps: [{steps.SetProperty: {property: a, value: 1}}]\n"
        return try await Master.measuredStart(yaml) { master, start in
            let cost = try await Cost.of {
                try await master.build(builds)
                try await receiver.moments(2 * builds * reporters)
            }
            return (start, cost.time / Double(2 * builds * reporters))
        }
    }

    private static func names(_ count: Int) -> [String] { (0..<count).map { "builder \($0)" } }

    private static func yaml(builders: Int) -> String {
        let entries = names(builders).map { name in
            """
              - name: \(name)
                steps: [{steps.SetProperty: {property: a, value: 1}}]

            """
        }
        return "builders:\n" + entries.joined()
    }
}
