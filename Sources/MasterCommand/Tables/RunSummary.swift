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
        if !deliveries.deliveries.isEmpty {
            facts.append("\(count(.delivered).counting("report")) delivered")
        }
        let style = interruption == nil ? TextStyle(results) : .yellow
        return paint(style, word) + ": " + facts.joined(separator: ", ")
    }

    private func count(_ state: DeliveryState) -> Int {
        deliveries.deliveries.count { $0.state == state }
    }

    private var undelivered: [String] {
        var lines: [String] = []
        if count(.open) > 0 {
            let remedy =
                receiverOption.map { "add \($0) to see them" }
                ?? advice.to("see them", "list --state open")
            lines.append("\(count(.open).counting("report")) kept for the next run; " + remedy)
        }
        if count(.parked) > 0 {
            let reports = count(.parked).counting("report")
            lines.append(
                "\(reports) kept for reporters that the file does not name; "
                    + advice.to("see them", "list --state parked"))
        }
        if deliveries.deadCount > 0 {
            let given = "\(deliveries.deadCount.counting("report")) given up"
            lines.append("\(given); " + advice.to("see why", "list --state dead"))
        }
        return lines + deliveries.closedReporters.map { closed($0) }
    }

    private func closed(_ reporter: ReporterRecord) -> String {
        let name = reporter.name.makingControlsVisible()
        let reason = reporter.closedReason?.makingControlsVisible() ?? "its endpoint is gone"
        return "nothing is sent to \(name): \(reason); " + advice.toOpenAgain(name)
    }
}
