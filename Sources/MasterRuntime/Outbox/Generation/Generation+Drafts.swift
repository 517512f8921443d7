import MasterKit

extension Generation {
    /// Asks every generator for its report; `nil` when the run ends meanwhile.
    ///
    /// A generator that throws leaves a dead letter with its reason and does not keep the others
    /// from being asked.
    func drafts(of event: Event, in room: ReportRoom) async -> [Draft]? {
        let context = ReportContext(
            event: event,
            formatter: recipient.reporter.defaultFormatter,
            master: environment.identity,
            logger: environment.logger,
            source: StoreReportSource(environment.store, reporting: event, in: room)
        )
        var drafts: [Draft] = []
        for (part, generator) in recipient.generators.enumerated()
        where generator.wantedEvents.contains(event.kind) {
            do {
                guard let text = try await report(of: event, by: generator, context) else {
                    continue
                }
                drafts.append(Draft(part: part, content: .report(text)))
            } catch {
                guard !Task.isCancelled else { return nil }
                drafts.append(fault(error, of: part))
            }
        }
        return drafts
    }

    /// The report as it is kept, which is all that is left of it in memory.
    private func report(
        of event: Event,
        by generator: any ReportGenerator,
        _ context: ReportContext
    ) async throws -> String? {
        let report = try await PluginCall.run(on: environment.clock) {
            try await generator.generate(for: event, in: context)
        }
        return try report.map { try stored($0) }
    }

    /// The report as it is kept: checked and masked.
    private func stored(_ report: consuming Report) throws -> String {
        try check(report)
        if !recipient.reporter.usesRecords { report.removeRecords() }
        return report.masked(by: environment.mask).stored
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
