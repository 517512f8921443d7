internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import SystemPackage

/// The last line of a run: its outcome in one sentence.
struct RunSummary {
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

    /// The worst result of all builds, or `nil` if there were none.
    var results: Results? {
        builds.map(\.results).reduce(nil, Results.worst)
    }

    /// The outcome, and what happens to undelivered reports.
    func lines(_ paint: TextPainter) -> [String] {
        [outcome(paint)] + undelivered.map { paint(.yellow, $0) }
    }

    private func outcome(_ paint: TextPainter) -> String {
        let word = interruption ?? results.map(\.name) ?? "nothing was built"
        var facts = ["\(builds.count.counting("build")) in \(duration.forPeople)"]
        let failed = builds.count { ExitStatus($0.results) != .success }
        if failed > 0, builds.count > 1 { facts.append("\(failed) not successful") }
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

/// The finished builds as a table: a line for each build, and one for each of its steps.
struct BuildTable {
    let paint: TextPainter
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The lines of the table.
    func lines(_ builds: [BuildView], width: Int) -> [String] {
        var table = TextTable(paint: paint)
        for build in builds {
            table.add([
                .init("\(marks(build.results)) \(build.title)", .bold),
                .init(Results.text(build.results), TextStyle(build.results)),
                .init(build.duration?.forPeople ?? "", .dim),
                .init(build.remark),
            ])
            for step in build.visibleSteps {
                table.add([
                    .init("  \(marks(step.results)) \(step.name.makingControlsVisible())"),
                    .init(Results.text(step.results), TextStyle(step.results)),
                    .init(step.duration?.forPeople ?? "", .dim),
                    .init(step.remark),
                ])
            }
        }
        return table.lines(width: width, ellipsis: marks.ellipsis)
    }
}

/// Shows why builds failed: the last log lines of the failed steps.
struct FailureReport {
    let paint: TextPainter
    let marks: StatusSymbols

    init(_ traits: TerminalTraits) {
        paint = TextPainter(hasColour: traits.hasColour)
        marks = StatusSymbols(hasUnicode: traits.hasUnicode)
    }

    /// The steps of a build whose logs are shown.
    static func failedSteps(of build: BuildView) -> [StepView] {
        build.steps.filter { $0.results == .failure || $0.results == .exception }
    }

    /// Formats a log of a failed step.
    ///
    /// - Parameters:
    ///   - step: The step.
    ///   - build: Its build.
    ///   - path: The path of the log.
    ///   - tail: The end of the log.
    /// - Returns: A heading and the lines of the log; empty for an empty log.
    func lines(_ step: StepView, of build: BuildView, log path: String, _ tail: LogTail) -> [String]
    {
        guard !tail.lines.isEmpty else { return [] }
        let name = step.name.makingControlsVisible()
        let what = tail.isCut ? "the end of \(path)" : path
        let head = "\(marks(step.results)) \(build.title)  \(name)  \(paint(.dim, what))"
        return [head]
            + tail.lines.map { paint(.dim, "  | ") + $0.shown(paint) }
    }
}

/// The last lines of a log on disk.
struct LogTail: Sendable, Hashable {
    /// The maximum number of lines kept.
    static let lineLimit = 20
    /// The number of bytes read from the end of a file.
    private static let byteLimit = 64 << 10

    /// The last lines in order.
    let lines: [LogLine]
    /// Whether there are lines before them.
    let isCut: Bool

    /// Reads the end of a log.
    ///
    /// - Throws: An error if the file cannot be read.
    init(ofFile path: String) throws {
        // Foundation gives no reason that a user could understand.
        try FileDescriptor.open(FilePath(path), .readOnly).close()
        let data = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        let end = data.suffix(Self.byteLimit)
        self.init(end: [UInt8](end), isWhole: end.count == data.count)
    }

    /// Keeps the last lines of marked text.
    ///
    /// - Parameters:
    ///   - end: The end of a log.
    ///   - isWhole: Whether it is the whole log; otherwise its first line is omitted.
    init(end: [UInt8], isWhole: Bool) {
        let all = LogLine.lines(marked: end).dropFirst(isWhole ? 0 : 1)
        lines = Array(all.suffix(Self.lineLimit))
        isCut = !isWhole || all.count > Self.lineLimit
    }
}
