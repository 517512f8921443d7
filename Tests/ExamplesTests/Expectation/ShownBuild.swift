import MasterKit

/// A build in the table printed at the end of a run.
struct ShownBuild: Sendable {
    /// A line of the table, for a build or step.
    struct Line: Sendable, CustomStringConvertible {
        let name: String
        let results: Results
        let stateString: String

        var description: String { "\(name) \(results.name) \(stateString)" }
    }

    let outcome: Line
    var steps: [Line] = []

    /// Parses the table in the output of a run.
    static func all(in output: String) -> [ShownBuild] {
        var builds: [ShownBuild] = []
        for text in output.split(separator: "\n") {
            guard let (line, isStep) = Self.line(text) else { continue }
            if !isStep {
                builds.append(ShownBuild(outcome: line))
            } else if !builds.isEmpty {
                builds[builds.count - 1].steps.append(line)
            }
        }
        return builds
    }

    private static func line(_ text: Substring) -> (line: Line, isStep: Bool)? {
        let row =
            #/
            (\s{2})? [✓✗!↻⊘\-] \s (\S+ (?:\s\S+)*)  # a mark, then the name
            \s{2,} ([a-z]+)  # the result
            (?: \s{2,} [0-9.]+ \s (?: s | [mh]\s[0-9]+\s[ms] ) )?  # how long it took
            (?: \s{2,} (\S.*) )?  # the state
            /#
        guard let match = text.wholeMatch(of: row), let results = Results(name: String(match.3))
        else { return nil }
        let line = Line(
            name: String(match.2), results: results,
            stateString: match.4.map(String.init) ?? results.name)
        return (line, match.1 != nil)
    }
}

extension ExpectedOutcome {
    /// Whether a line of the table matches.
    func admits(_ line: ShownBuild.Line) throws -> Bool {
        try (name == nil || name == line.name) && results == line.results
            && stateString.admits(.string(line.stateString))
    }
}
