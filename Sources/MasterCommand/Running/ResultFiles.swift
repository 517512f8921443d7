internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime

/// Files with the results of a run, for other programs and for people.
struct ResultFiles: Sendable, Hashable {
    /// The path for JUnit XML.
    let junit: String?
    /// The path for a summary in Markdown.
    let summary: String?

    private var paths: [(option: String, path: String)] {
        (junit.map { [("--junit", $0)] } ?? []) + (summary.map { [("--summary", $0)] } ?? [])
    }

    /// Checks, before anything runs, that the files can be written and replace nothing else.
    ///
    /// - Parameters:
    ///   - configuration: The path of the configuration file.
    ///   - basedir: The base folder.
    /// - Throws: ``UsageError`` if a folder does not exist, or if a file is the configuration, in
    ///   the base folder or named twice.
    func check(besides configuration: String, _ basedir: String) throws(UsageError) {
        let own = Self.resolved(basedir)
        for (option, path) in paths {
            let target = Self.resolved(path)
            guard target != Self.resolved(configuration) else {
                throw UsageError(
                    "\(option) \(path): this is the configuration file; name another file")
            }
            guard target != own, !target.hasPrefix(own + "/") else {
                throw UsageError(
                    "\(option) \(path): this is in the folder \(basedir), which is used by the "
                        + "master only; name a file elsewhere")
            }
            let folder = URL(filePath: path).deletingLastPathComponent().path
            var isFolder = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder
            else { throw UsageError("\(option) \(path): there is no folder \(folder); create it") }
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder
            else { continue }
            throw UsageError("\(option) \(path): this is a folder; name a file in it")
        }
        guard let junit, let summary, Self.resolved(junit) == Self.resolved(summary) else { return }
        throw UsageError("--junit and --summary name the same file, \(junit); name two files")
    }

    /// The absolute path without symbolic links; the file need not exist.
    private static func resolved(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        let whole = isAbsolute ? path : FileManager.default.currentDirectoryPath + "/" + path
        // One component after the other, because Foundation resolves no part of a missing path.
        return whole.split(separator: "/").filter { $0 != "." }
            .reduce(URL(filePath: "/")) { url, name in
                name == ".."
                    ? url.deletingLastPathComponent()
                    : url.appending(path: String(name)).resolvingSymlinksInPath()
            }.path
    }

    /// Writes the files.
    ///
    /// - Parameters:
    ///   - builds: The builds in the order of their requests, without retried ones.
    ///   - title: The name of the master.
    ///   - duration: The duration of the run.
    /// - Throws: ``FailedRun`` if a file can't be written.
    func write(_ builds: [FinishedBuild], title: String, duration: Duration) throws(FailedRun) {
        let counted = builds.filter { !$0.isRetried }
        if let junit {
            try write(JUnitFile(title: title, builds: counted).text, "--junit", junit)
        }
        if let summary {
            let report = MarkdownReport(title: title, builds: counted, duration: duration)
            try write(report.text, "--summary", summary)
        }
    }

    private func write(_ text: String, _ option: String, _ path: String) throws(FailedRun) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path))
        } catch {
            throw FailedRun("\(option) \(path): the file can't be written: \(error)")
        }
    }
}

extension FinishedBuild {
    /// The build with its steps, for displays.
    fileprivate var view: BuildView { BuildView(self) }

    /// The last lines of a step's logs, without their channel letters.
    fileprivate func output(of step: StepView) -> String {
        let tails = (logs[step.number] ?? []).map { path in
            do {
                let tail = try LogTail(ofFile: path)
                let lines = (tail.errors + tail.lines).map { TerminalText.shown($0.text) }
                return lines.joined(separator: "\n")
            } catch {
                return "the log \(path) cannot be read: \(error)"
            }
        }
        return tails.joined(separator: "\n")
    }
}

/// The results in the format read by CI servers: one test suite per build, one test case per step.
struct JUnitFile {
    let title: String
    let builds: [FinishedBuild]

    private typealias Case = (
        name: String, results: Results?, time: Duration?, text: String, output: String
    )

    private struct Suite {
        let build: BuildView
        let cases: [Case]

        func count(_ wanted: Results?...) -> Int {
            cases.count { wanted.contains($0.results) }
        }
    }

    /// The XML document.
    var text: String {
        let suites = builds.map { suite(of: $0) }
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
        lines.append("<testsuites name=\"\(title.xml)\"\(counts(of: suites))>")
        for suite in suites { lines += self.lines(suite) }
        return (lines + ["</testsuites>", ""]).joined(separator: "\n")
    }

    private func suite(of finished: FinishedBuild) -> Suite {
        let build = finished.view
        var cases = build.visibleSteps.map { step in
            let isFailed = step.results == .failure || step.results == .exception
            return (
                name: step.name, results: step.results, time: step.duration,
                text: step.results == .skipped ? step.remark : step.stateString,
                output: isFailed ? finished.output(of: step) : ""
            )
        }
        cases += finished.notReached.map {
            (name: $0, results: .skipped, time: nil, text: "not reached", output: "")
        }
        // Covers a build that was skipped, stopped, or failed as a whole, which no step shows.
        let worst = cases.map(\.results).reduce(nil, Results.worst)
        let isTold = worst.map { $0.severity >= (build.results?.severity ?? 0) } ?? false
        if build.results != .success, build.results != .warnings, !isTold {
            cases.append(("build", build.results, build.duration, build.stateString, ""))
        }
        return Suite(build: build, cases: build.isUnimportant ? cases.map(excused) : cases)
    }

    /// A case of a build whose result does not count: programs that read the file would count it.
    private func excused(_ one: Case) -> Case {
        guard let results = one.results, results.isFailure else { return one }
        var excused = one
        excused.results = .skipped
        excused.text = "unimportant \(results.name): \(one.text)"
        return excused
    }

    private func counts(of suites: [Suite]) -> String {
        let counts = [
            ("tests", suites.reduce(0) { $0 + $1.cases.count }),
            ("failures", suites.reduce(0) { $0 + $1.count(.failure) }),
            ("errors", suites.reduce(0) { $0 + $1.count(.exception, .retry, .cancelled, nil) }),
            ("skipped", suites.reduce(0) { $0 + $1.count(.skipped) }),
        ]
        return counts.map { " \($0)=\"\($1)\"" }.joined()
    }

    private func lines(_ suite: Suite) -> [String] {
        let build = suite.build
        let start = build.startedAt.formatted(.iso8601)
        let head =
            "  <testsuite name=\"\(build.title.xml)\"\(counts(of: [suite])) "
            + "time=\"\(Self.seconds(build.duration))\" timestamp=\"\(start.xml)\">"
        return [head] + suite.cases.flatMap { lines($0, of: build) } + ["  </testsuite>"]
    }

    private func lines(_ one: Case, of build: BuildView) -> [String] {
        let head =
            "    <testcase classname=\"\(build.builder.xml)\" name=\"\(one.name.xml)\" "
            + "time=\"\(Self.seconds(one.time))\""
        let element: String
        switch one.results {
        case .success, .warnings: return ["\(head)/>"]
        case .skipped: element = "skipped"
        case .failure: element = "failure"
        case .exception, .retry, .cancelled, nil: element = "error"
        }
        let message = "<\(element)" + (one.text.isEmpty ? "" : " message=\"\(one.text.xml)\"")
        return [
            "\(head)>",
            one.output.isEmpty
                ? "      \(message)/>" : "      \(message)>\(one.output.xml)</\(element)>",
            "    </testcase>",
        ]
    }

    private static func seconds(_ duration: Duration?) -> String {
        let milliseconds = (duration ?? .zero) / .milliseconds(1)
        let whole = Int(milliseconds.rounded())
        let rest = "\(whole % 1000)"
        return "\(whole / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

/// The results as a Markdown table, with the end of the log of each failed step.
struct MarkdownReport {
    let title: String
    let builds: [FinishedBuild]
    let duration: Duration

    /// The Markdown document.
    var text: String {
        let views = builds.map(\.view)
        let worst = views.worstResults
        let marks = StatusSymbols(hasUnicode: true)
        var lines = [
            "## \(marks(worst)) \(title.markdown): "
                + (worst.map(\.name) ?? "nothing was built"),
            "", "\(builds.count.counting("build")) in \(duration.forPeople)", "",
        ]
        if !views.isEmpty {
            lines += ["| Build | Result | Duration | State |", "|---|---|---|---|"]
            lines += views.map { build in
                "| \(marks(build.results)) \(build.title.markdown) "
                    + "| \(Results.text(build.results)) | \(build.duration?.forPeople ?? "") "
                    + "| \(build.remark.markdown) |"
            }
            lines.append("")
        }
        for (finished, build) in zip(builds, views) {
            for step in build.failedSteps {
                lines += failure(step, build, finished.output(of: step), marks)
            }
            if !finished.notReached.isEmpty {
                let names = finished.notReached.map(\.markdown).joined(separator: ", ")
                lines += ["Not reached by \(build.title.markdown): \(names)", ""]
            }
        }
        return lines.joined(separator: "\n")
    }

    private func failure(
        _ step: StepView, _ build: BuildView, _ output: String, _ marks: StatusSymbols
    ) -> [String] {
        let head = "### \(marks(step.results)) \(build.title.markdown): \(step.name.markdown)"
        let state = [head, "", step.stateString.markdown, ""]
        guard !output.isEmpty else { return state }
        // A fence longer than any in the output.
        let longest = output.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        let lines = output.lines.map { $0.makingControlsVisible(keepingTabs: true) }
        return state + [fence + "text"] + lines + [fence, ""]
    }
}

extension String {
    /// The string escaped for XML content and attributes.
    fileprivate var xml: String {
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            // XML 1.0 cannot represent these.
            case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// The string on one line, with Markdown's special characters escaped.
    fileprivate var markdown: String {
        var escaped = ""
        for character in makingControlsVisible() {
            if #"\`*_[]<>|#"#.contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
