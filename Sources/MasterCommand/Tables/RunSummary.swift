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
    /// Whether the run has a receiver of its own.
    let hasReceiver: Bool
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
            lines.append("\(open.count.counting("report")) kept for the next run" + advice(open))
        }
        if dead > 0 { lines.append("\(dead.counting("report")) given up") }
        return lines
    }

    /// How to see what did not arrive: a receiver of the run's own, where one can stand.
    private func advice(_ open: [DeliveryStatus]) -> String {
        guard !hasReceiver, open.contains(where: { $0.attempts > 0 && $0.status == nil }),
            let option = open.lazy.compactMap({ ReceiverAdvice.option(for: $0.receiver) }).first
        else { return "" }
        return "; add \(option) to see them"
    }
}
