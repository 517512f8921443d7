internal import MasterKit
internal import MasterRuntime

/// The last line of a run: how it went, in one sentence.
struct RunSummary {
    /// The builds that count; retried ones are left out.
    let builds: [BuildView]
    /// How every delivery stands.
    let deliveries: [DeliveryStatus]
    /// How long the run took.
    let duration: Duration
    /// The option that would show reports to which nobody listens, such as `--receiver`.
    let receiverOption: String?
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
        let delivered = deliveries.count { $0.state == .delivered }
        var facts = ["\(builds.count.counting("build")) in \(duration.forPeople)"]
        let failed = builds.count { ExitStatus($0.results) != .success }
        if failed > 0, builds.count > 1 { facts.append("\(failed) not successful") }
        if !deliveries.isEmpty { facts.append("\(delivered.counting("report")) delivered") }
        let style = interruption == nil ? TextStyle(results) : .yellow
        return paint(style, word) + ": " + facts.joined(separator: ", ")
    }

    private var undelivered: [String] {
        let open = deliveries.filter { $0.state == .open }
        let dead = deliveries.count { $0.state == .dead }
        var lines: [String] = []
        if !open.isEmpty {
            let advice = receiverOption.map { "; add \($0) to see them" } ?? ""
            lines.append("\(open.count.counting("report")) kept for the next run" + advice)
        }
        if dead > 0 { lines.append("\(dead.counting("report")) given up") }
        return lines
    }
}
