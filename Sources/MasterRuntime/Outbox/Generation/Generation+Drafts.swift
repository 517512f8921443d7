import MasterKit

extension Generation {
    /// Asks every generator for its report; `nil` when the run ends meanwhile.
    ///
    /// A generator that throws leaves a dead letter with its reason and does not keep the others
    /// from being asked.
    func drafts(of event: Event) async -> [Draft]? {
        let context = ReportContext(
            event: event,
            formatter: recipient.reporter.defaultFormatter,
            master: environment.identity,
            logger: environment.logger,
            source: environment.source
        )
        var drafts: [Draft] = []
        for (part, generator) in recipient.generators.enumerated()
        where generator.wantedEvents.contains(event.kind) {
            do {
                let made = try await PluginCall.run(on: environment.clock) {
                    try await generator.generate(for: event, in: context)
                }
                guard var report = made else { continue }
                try check(report)
                if !recipient.reporter.usesRecords { report.removeRecords() }
                let masked = report.masked(by: environment.mask)
                drafts.append(Draft(part: part, content: .report(masked)))
            } catch {
                guard !Task.isCancelled else { return nil }
                drafts.append(fault(error, of: part))
            }
        }
        return drafts
    }

    /// Sees to it that what calls itself JSON is.
    private func check(_ report: Report) throws {
        guard case .text(let text, let contentType) = report.body else { return }
        let type = contentType.prefix { $0 != ";" }.lowercased()
        guard type == "application/json" || type.hasSuffix("+json") else { return }
        do {
            _ = try JSONValue(parsing: text)
        } catch {
            throw DeliveryFault("the report is no JSON: \(error)")
        }
    }

    private func fault(_ error: any Error, of part: Int) -> Draft {
        let reason = environment.mask.apply(to: "no report could be made: \(error)")
        environment.logger.error("\(recipient.name): \(reason)")
        return Draft(part: part, content: .fault(reason))
    }
}
