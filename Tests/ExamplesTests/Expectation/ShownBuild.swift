import MasterKit

/// A finished build among the lines of `run --json`.
struct ShownBuild: Sendable {
    /// A build or step.
    struct Line: Sendable, CustomStringConvertible {
        let name: String
        let results: Results
        let stateString: String

        var description: String { "\(name) \(results.name) \(stateString)" }
    }

    let outcome: Line
    var steps: [Line] = []

    /// Parses the output of a run, in the order in which the builds ended; hidden steps are
    /// omitted.
    static func all(in output: String) throws -> [ShownBuild] {
        var builds: [ShownBuild] = []
        var steps: [Int: [Line]] = [:]
        for text in output.split(separator: "\n") {
            let line = try JSONValue(parsing: String(text))
            guard let id = line["buildid"]?.intValue, let record = line["record"] else { continue }
            if line["event"] == "step.finished", record["hidden"] != true {
                steps[id, default: []] += Self.line(record["name"]?.stringValue, record)
            } else if line["event"] == "build.finished",
                let builder = record["builder"]?["name"]?.stringValue,
                let number = record["number"]?.intValue,
                let outcome = Self.line("\(builder) #\(number)", record).first
            {
                builds.append(ShownBuild(outcome: outcome, steps: steps[id] ?? []))
            }
        }
        return builds
    }

    private static func line(_ name: String?, _ record: JSONValue) -> [Line] {
        guard let name, let code = record["results"]?.intValue,
            let results = Results(rawValue: code)
        else { return [] }
        let text = record["state_string"]?.stringValue ?? ""
        return [Line(name: name, results: results, stateString: text)]
    }
}

extension ExpectedOutcome {
    /// Whether a build or step matches.
    func admits(_ line: ShownBuild.Line) throws -> Bool {
        try (name == nil || name == line.name) && results == line.results
            && stateString.admits(.string(line.stateString))
    }
}
