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
        let given = Set(
            subject.settings.node.mapping?.entries.compactMap(\.key.scalarText) ?? [])
        // These two exclude each other.
        let names: Set = ["tags", "builders"]
        let taken = given.isDisjoint(with: names) ? given : given.union(names)
        for filter in own.subtracting(taken).sorted() {
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

    var wanted: BuildDetails { BuildDetails(steps: true, logs: true) }

    func format(_ topic: ReportTopic) -> Message {
        Message(.json(.array(topic.builds.map { .object($0) })))
    }
}

/// An event of a sample build, with what is known about it.
struct SampleEvent: Sendable {
    let name: String
    let event: Event
    let source: any ReportSource

    /// The starts and ends of builds of every kind.
    static var builds: [SampleEvent] { recorded.flatMap(startAndEnd) }

    /// Events of all kinds about builds, and about those that a test adds.
    static func all(with others: [RecordedBuild]) -> [SampleEvent] {
        (recorded + others).flatMap { build -> [SampleEvent] in
            let set = RecordedBuildset([build], properties: build.properties.values)
            let steps = [("tests", build.results), ("compile", .success)]
            let own =
                [build.requested, build.requestCancelled, build.stepStarted("tests")]
                + steps.map { build.stepFinished($0.0, $0.1) }
            let known = startAndEnd(of: build) + own.map { SampleEvent($0, build) }
            let others = EventKind.allCases.filter { kind in
                kind != .buildsetFinished && !known.contains { $0.event.kind == kind }
            }
            return known + [SampleEvent(set.finished, set)]
                + others.map { SampleEvent(build.event($0), build) }
        }
    }

    private static func startAndEnd(of build: RecordedBuild) -> [SampleEvent] {
        [SampleEvent(build.started, build), SampleEvent(build.finished, build)]
    }

    private init(_ event: Event, _ build: RecordedBuild) {
        self.init(event, build, "a build that ends as \(build.results.name)")
    }

    private init(_ event: Event, _ buildset: RecordedBuildset) {
        self.init(event, buildset, "a buildset")
    }

    private init(_ event: Event, _ source: any ReportSource, _ subject: String) {
        self.event = event
        self.source = source
        name = "\(event.kind.rawValue) of \(subject)"
    }

    /// Builds with every result, with and without steps, predecessors and properties.
    private static let recorded: [RecordedBuild] = {
        let steps = (1...200).map { number -> JSONValue in
            [
                "stepid": .int(number), "number": .int(number), "name": .string("step \(number)"),
                "buildid": 8, "started_at": 1_795_342_547, "complete_at": 1_795_342_548,
                "complete": true, "state_string": "done", "results": .int(number % 3), "urls": [],
                "logs": [
                    [
                        "logid": .int(number), "name": "stdio", "slug": "stdio", "type": "s",
                        "num_lines": 1, "complete": true, "stepid": .int(number),
                        "content": .string("oline \(number)\n"),
                    ]
                ],
            ]
        }
        let plain = Results.allCases.map { results in
            RecordedBuild(
                number: results.rawValue + 1, results: results,
                stateString: "build \(results.name)")
        }
        let full = Results.allCases.map { results in
            RecordedBuild(
                number: results.rawValue + 8, builder: "linux", tags: ["nightly"],
                results: results, stateString: "build \(results.name) & <more>",
                properties: [
                    "branch": "main", "scheduler": "nightly", "owner": "Ann <ann@example.org>",
                    "list": [1, "two", nil],
                ],
                steps: steps,
                sourceStamps: [
                    SourceStamp(
                        branch: "main", revision: "9fceb02d0ae598e95dc970b74767f19372d61af8",
                        repository: "https://git.example.org/owner/name.git")
                ],
                previousResults: results == .success ? .failure : .success,
                previousSteps: ["tests": results == .success ? .failure : .success])
        }
        return plain + full
    }()
}
