public import MasterKit

/// The promises of a report generator.
///
/// ```swift
/// try await GeneratorContract(
///     PropertyGenerator.self, "release",
///     samples: [RecordedBuild(properties: ["release": "1.0"])]
/// ).verify()
/// ```
///
/// The generator gets the events of sample builds: with every result, without steps and with many,
/// with and without properties, tags and a previous build.
public struct GeneratorContract<P: ReportGenerator>: Contract {
    private let subject: ContractSubject<P>
    private let samples: [RecordedBuild]

    /// Creates a contract.
    ///
    /// - Parameters:
    ///   - type: The generator.
    ///   - settings: Its settings.
    ///   - samples: Builds that the generator reports with these settings, if it does not report
    ///     just any.
    ///   - plugins: The plugins that the settings name.
    ///   - limit: How long a report may take.
    public init(
        _ type: P.Type, _ settings: SettingLiteral = [:], samples: [RecordedBuild] = [],
        plugins: [PluginBundle] = [], limit: Duration = .seconds(20)
    ) {
        subject = ContractSubject(settings, plugins: plugins, scope: .service, limit: limit)
        self.samples = samples
    }

    /// Checks every promise.
    public func brokenPromises() async throws -> [BrokenPromise] {
        let findings = Findings()
        guard subject.checkDeclarations(findings) else { return findings.sorted }
        try await subject.withPlugin(findings) { generator, _ in
            var reported: Set<EventKind> = []
            for sample in SampleEvent.all(with: samples)
            where generator.wantedEvents.contains(sample.event.kind) {
                let report = await report(of: sample, by: generator, findings)
                if report != nil { reported.insert(sample.event.kind) }
                if report != (await self.report(of: sample, by: generator, findings)) {
                    findings.add(.repeatsTheReport, "two reports of \(sample.name) differ")
                }
            }
            let silent = generator.wantedEvents.subtracting(reported).map(\.rawValue).sorted()
            if !silent.isEmpty {
                findings.add(
                    .usesWantedEvents,
                    "it reports no sample of \(silent.joined(separator: ", ")); give 'samples' "
                        + "that it reports")
            }
        }
        try await checkFilters(findings)
        return findings.sorted
    }

    private func report(
        of sample: SampleEvent, by generator: P, _ findings: Findings
    ) async -> Report? {
        let context = ReportContext(
            event: sample.event, formatter: EventFormatter(), master: MasterIdentity(),
            logger: Logger(label: P.pluginName) { _ in SwiftLogNoOpLogHandler() },
            source: sample.source)
        let end = await Limited.run(within: subject.limit) {
            try await generator.generate(for: sample.event, in: context)
        }
        switch end {
        case .success(let report)?: return report
        case .failure(let error)?: findings.add(.neverThrows, "\(sample.name): \(error)")
        case nil:
            findings.add(.neverThrows, "\(sample.name) took more than \(subject.limit.inSeconds)")
        }
        return nil
    }

    /// Gives each filter a value that no sample has.
    private func checkFilters(_ findings: Findings) async throws {
        let filters = BuildFilter.declarations.map(\.name)
        let own = Set(P.declarations.map(\.name)).intersection(filters)
        let given = subject.settings.node.mapping.map { Set($0.entries.compactMap(\.key.scalarText)) }
        for filter in own.sorted() where given?.contains(filter) != true {
            guard !["tags", "builders"].contains(filter) || given?.isDisjoint(with: ["tags", "builders"]) != false
            else { continue }
            let nothing = SettingLiteral.array(["a name that no sample has"])
            guard let settings = subject.settings(with: filter, nothing) else { continue }
            let generator = try subject.configured(settings).plugin
            for sample in SampleEvent.all(with: samples)
            where generator.wantedEvents.contains(sample.event.kind) {
                guard await report(of: sample, by: generator, findings) != nil else { continue }
                findings.add(.heedsFilters, "it reports \(sample.name) in spite of '\(filter)'")
            }
        }
    }
}

/// Formats the event alone, so that reports depend on the generator.
private struct EventFormatter: MessageFormatter {
    static let summary = "The builds of the event."

    func format(_ topic: ReportTopic) -> Message {
        Message(.json(.array(topic.builds.map { .object($0) })))
    }
}
