internal import MasterKit
internal import MasterRuntime

/// The last line of a run: how it went, in one sentence.
struct RunSummary {
    /// The builds that count; retried ones are left out.
    let builds: [BuildView]
    /// How the deliveries stand.
    let deliveries: DeliverySummary
    /// How long the run took.
    let duration: Duration
    /// The option that would show reports to which nobody listens, such as `--receiver`.
    let receiverOption: String?
    /// Names the commands that show more.
    let advice: DeliveriesAdvice
    /// Why not everything was built, such as `interrupted`.
    let interruption: String?

    /// The worst result of all builds; `nil` when there was none.
    var results: Results? {
        builds.map(\.results).reduce(nil, Results.worst)
    }

    /// The lines: the outcome, and what becomes of reports that were not delivered.
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
            let reason = reports.reason.makingControlsVisible()
            return "\(reports.count.counting("report")) of \(name) given up: \(reason); "
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
