internal import MasterKit
internal import MasterRuntime

/// The last line of a run: its outcome in one sentence.
struct RunSummary {
    /// The builders whose builds never began, because the run was interrupted.
    var notStarted: [String] = []
    /// The builds to count, without retried ones.
    let builds: [BuildView]
    /// The state of the deliveries.
    let deliveries: DeliverySummary
    /// How long the run took.
    let duration: Duration
    /// The option to show undeliverable reports, such as `--receiver`, if nothing listens at their
    /// URL.
    let receiverOption: String?
    /// Hints with commands that show details.
    let advice: DeliveriesAdvice
    /// Why not everything was built, such as `interrupted`.
    let interruption: String?

    /// The worst result of the builds whose results count, or `nil` if there were none.
    var results: Results? { builds.worstResults }

    /// The outcome, and what happens to undelivered reports.
    func lines(_ paint: TextPainter) -> [String] {
        [outcome(paint)] + unstarted + undelivered.map { paint(.yellow, $0) }
    }

    private var unstarted: [String] {
        let names = notStarted.map { $0.makingControlsVisible() }
        return names.isEmpty ? [] : ["not started: \(names.joined(separator: ", "))"]
    }

    private func outcome(_ paint: TextPainter) -> String {
        let word = interruption ?? results.map(\.name) ?? "nothing was built"
        var facts = ["\(builds.count.counting("build")) in \(duration.forPeople)"]
        let failed = builds.filter { ExitStatus($0.results) != .success }
        let unimportant = failed.count(where: \.isUnimportant)
        if failed.count > unimportant, builds.count > 1 {
            facts.append("\(failed.count - unimportant) not successful")
        }
        if unimportant > 0 {
            facts.append("\(unimportant.counting("unimportant build")) not successful")
        }
        if deliveries.totalCount > 0 {
            facts.append("\(deliveries.deliveredCount.counting("report")) delivered")
        }
        let style = interruption == nil ? TextStyle(results) : .yellow
        return paint(style, word) + ": " + facts.joined(separator: ", ")
    }

    private var undelivered: [String] {
        var lines: [String] = []
        if deliveries.openCount > 0 {
            let remedy =
                receiverOption.map { "add \($0) to see them" }
                ?? advice.to("see them", "list --state open")
            lines.append(
                "\(deliveries.openCount.counting("report")) kept for the next run; " + remedy)
        }
        if deliveries.unreportedCount > 0 {
            let events = deliveries.unreportedCount.counting("event")
            lines.append("\(events) not yet reported; the next run reports them")
        }
        if deliveries.parkedCount > 0 {
            let reports = deliveries.parkedCount.counting("report")
            lines.append(
                "\(reports) kept for reporters that the file does not name; "
                    + advice.to("see them", "list --state parked"))
        }
        return lines + givenUp + deliveries.closedReporters.map { closed($0) }
    }

    private var givenUp: [String] {
        var lines = deliveries.givenUp.map { reports in
            let name = reports.reporter.makingControlsVisible()
            let end = DeliveryTable.givenUp(because: reports.reason)
            return "\(reports.count.counting("report")) of \(name) \(end); "
                + advice.to("see more", "list --state dead --reporter \(name.shellQuoted)")
        }
        if deliveries.otherGivenUpCount > 0 {
            let noun = lines.isEmpty ? "report" : "more report"
            lines.append(
                "\(deliveries.otherGivenUpCount.counting(noun)) given up; "
                    + advice.to("see why", "list --state dead"))
        }
        return lines
    }

    private func closed(_ reporter: ReporterRecord) -> String {
        let name = reporter.name.makingControlsVisible()
        let reason = reporter.closedReason?.makingControlsVisible() ?? "its endpoint is gone"
        return "nothing is sent to \(name): \(reason); " + advice.toOpenAgain(name)
    }
}

/// A finished build for the table of a run.
struct FinishedView: Sendable, Hashable {
    let build: BuildView
    /// The names of the steps that were not run because the build ended before.
    var notReached: [String] = []
    /// The logs of the steps that failed, by the ID of the step.
    var logs: [Int: [FailureLog]] = [:]

    /// Whether it is listed among the failures.
    var isFailed: Bool { build.results?.isFailure ?? true }
}

/// The log of a step that failed.
struct FailureLog: Sendable, Hashable {
    /// The path to show.
    let path: String
    let tail: LogTail
}

/// The finished builds: first those that failed, each with its failed steps and the lines of output
/// that matter, then a line for each of the others.
struct BuildTable {
    let paint: TextPainter
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the table.
    func lines(_ views: [FinishedView], width: Int) -> [String] {
        var table = TextTable(paint: paint)
        var details: [[String]] = []
        for view in views.filter(\.isFailed) + views.filter({ !$0.isFailed }) {
            let build = view.build
            let steps = build.notableSteps
            let count = build.visibleSteps.count
            table.add([
                .init("\(marks(build.results)) \(build.title)", .bold),
                .init(Results.text(build.results), TextStyle(build.results)),
                .init(build.duration?.forPeople ?? "", .dim),
                .init(remark(build, steps.isEmpty ? count : nil)),
            ])
            details.append([])
            for step in steps {
                table.add([
                    .init("  \(marks(step.results)) \(step.name.makingControlsVisible())"),
                    .init(Results.text(step.results), TextStyle(step.results)),
                    .init(step.duration?.forPeople ?? "", .dim),
                    .init(step.remark, keepsEnd: true),
                ])
                details.append((view.logs[step.id] ?? []).flatMap { lines($0) })
            }
            if !view.notReached.isEmpty {
                let names = view.notReached.map { $0.makingControlsVisible() }
                let line = "  \(marks.pending) not reached: \(names.joined(separator: ", "))"
                details[details.count - 1].append(
                    paint(.dim, line.cut(to: width, ellipsis: marks.ellipsis)))
            }
        }
        let rows = table.lines(width: width, ellipsis: marks.ellipsis)
        return zip(rows, details).flatMap { [$0] + $1 }
    }

    /// What is said of a build, and of its steps unless they follow.
    private func remark(_ build: BuildView, _ count: Int?) -> String {
        let isExcused = build.isUnimportant && build.results?.isFailure ?? true
        var remarks = isExcused ? ["unimportant"] : []
        if let count {
            remarks.append(
                build.remark.isEmpty && count > 0 ? count.counting("step") : build.remark)
        }
        return remarks.filter { !$0.isEmpty }.joined(separator: "; ")
    }

    /// The lines of a log that matter, and where all of them are.
    private func lines(_ log: FailureLog) -> [String] {
        let gap =
            log.tail.errors.isEmpty ? [] : [paint(.dim, "    \(marks.ellipsis)")]
        let shown = log.tail.errors.map { line($0) } + gap + log.tail.lines.map { line($0) }
        return shown.isEmpty ? [] : shown + [paint(.dim, "    \(log.path)")]
    }

    private func line(_ line: LogLine) -> String {
        let text = line.shown(paint)
        guard text.utf8.count > Self.longestLine else { return paint(.dim, "    | ") + text }
        let start = TerminalText.shown(line.text).prefix(Self.longestLine)
        return paint(.dim, "    | ") + start + marks.ellipsis
    }

    private static let longestLine = 2000
}
