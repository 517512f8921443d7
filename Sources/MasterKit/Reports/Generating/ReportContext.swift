/// What a generator sees beside the event: the reporter's formatter and what can be looked up.
public struct ReportContext: Sendable {
    /// The event that is reported.
    public let event: Event
    /// Makes the message when a generator names no formatter of its own.
    public let formatter: any MessageFormatter
    /// The title and URL of the master.
    public let master: MasterIdentity
    /// Where notes for people go; what is logged is masked.
    public let logger: Logger
    private let source: any ReportSource
    private let uses: ReportUses

    /// Makes a context.
    public init(
        event: Event, formatter: any MessageFormatter, uses: ReportUses = ReportUses(),
        master: MasterIdentity, logger: Logger, source: any ReportSource
    ) {
        self.event = event
        self.formatter = formatter
        self.master = master
        self.logger = logger
        self.source = source
        self.uses = uses
    }

    /// Makes the report of the event.
    ///
    /// - Parameters:
    ///   - formatter: Makes the message; by default the reporter's own.
    ///   - options: What the generator adds to what the formatter wants.
    /// - Returns: The message with what it is about.
    /// - Throws: What the formatter throws, or the store.
    public func report(
        with formatter: (any MessageFormatter)? = nil, _ options: ReportOptions = ReportOptions()
    ) async throws -> Report {
        let report = try await part(with: formatter, options)
        return headed(report, event.builderName ?? "whole \(event.kind.record.rawValue)")
    }

    /// Makes one report of builds, each of which is told of by itself: see ``Report/merge(_:)``.
    ///
    /// - Parameters:
    ///   - builds: Those of the ``builds()`` of a buildset that are to be told of.
    ///   - formatter: Makes the message of each build; by default the reporter's own.
    ///   - options: What the generator adds to what the formatter wants.
    /// - Returns: The report, `nil` without builds. Its results are the worst of the builds'.
    /// - Throws: What the formatter throws, or the store.
    public func report(
        of builds: [ReportContext], with formatter: (any MessageFormatter)? = nil,
        _ options: ReportOptions = ReportOptions()
    ) async throws -> Report? {
        guard let first = builds.first else { return nil }
        var report = try await first.part(with: formatter, options)
        for build in builds.dropFirst() {
            let part = try await build.part(with: formatter, options)
            guard !report.merge(part) else { continue }
            logger.warning(
                """
                the report of build \(build.event.buildID ?? 0) is left out, as its body can't be \
                put together with that of another build; only texts and lists can
                """)
        }
        return headed(report, "whole buildset")
    }

    /// The report with a heading, when its formatter has given none.
    private func headed(_ report: Report, _ name: String) -> Report {
        guard report.subject == nil else { return report }
        var report = report
        report.subject = "\(Results.text(report.results)): \(name) (\(master.title))"
        return report
    }

    private func part(
        with formatter: (any MessageFormatter)?, _ options: ReportOptions
    ) async throws -> Report {
        let formatter = formatter ?? self.formatter
        let wanted = uses.isEmpty ? formatter.wanted : formatter.wanted.union(uses.details)
        let topic = try await topic(with: wanted, options)
        var report = Report(try await formatter.format(topic), about: topic, options)
        report.inputs = topic.inputs(for: uses)
        return report
    }

    /// What the event is about, with details.
    public func topic(
        with details: BuildDetails, _ options: ReportOptions = ReportOptions()
    ) async throws -> ReportTopic {
        var details = details
        if let contents = options.logContents { details.logContents = contents }
        let comparesResults = details.previousResults || options.modes.comparesResults
        return ReportTopic(
            event, builds: try await records(with: details),
            previousResults: comparesResults ? try await previousResults() : nil,
            modes: options.modes, master: master)
    }

    /// Each build of the buildset that has finished, as the context of its end.
    public func builds() async throws -> [ReportContext] {
        guard event.kind.record == .buildset, let id = event.record["bsid"]?.intValue else {
            return []
        }
        return try await source.ends(ofBuildset: id).map { end in
            ReportContext(
                event: end, formatter: formatter, uses: uses, master: master, logger: logger,
                source: source)
        }
    }

    /// Whether modes pick the end that the event tells of.
    public func isPicked(by modes: ReportModes) async throws -> Bool {
        guard let results = event.results else { return false }
        let previous = modes.comparesResults ? try await previousResults() : nil
        return modes.admit(results, after: previous)
    }

    /// How it ended before: the last build of the same builder that had finished when this one
    /// started and was no retry, or in it the step of the same name.
    public func previousResults() async throws -> Results? {
        guard let id = event.previousBuildID else { return nil }
        switch event.kind.record {
        case .build: return try await source.results(ofBuild: id)
        case .step:
            guard let name = event.record["name"]?.stringValue else { return nil }
            return try await source.results(ofStep: name, inBuild: id)
        default: return nil
        }
    }

    /// The records of the builds that the event is about.
    private func records(with details: BuildDetails) async throws -> [JSONObject] {
        guard event.kind.record != .buildset else {
            var records: [JSONObject] = []
            for build in try await builds() { records += try await build.records(with: details) }
            return records
        }
        guard var record = event.buildRecord else { return [] }
        if details.includesSteps, event.kind.record != .buildrequest {
            record["steps"] = .array(try await source.steps(of: record, with: details))
        }
        if !details.properties { record["properties"] = [:] }
        return [record]
    }
}

/// What a master is called and where it is found.
public struct MasterIdentity: Sendable, Hashable {
    /// The title.
    public var title: String
    /// The address that the title links to.
    public var titleURL: String
    /// The address of the master, ending in `/`.
    public var buildbotURL: String

    /// Makes an identity.
    public init(
        title: String = "Buildmaster", titleURL: String = "http://localhost:8080/",
        buildbotURL: String = "http://localhost:8080/"
    ) {
        self.title = title
        self.titleURL = titleURL
        self.buildbotURL = buildbotURL
    }

    /// The address of a build.
    public func url(ofBuild number: Int, builderID: Int) -> String {
        "\(buildbotURL)#/builders/\(builderID)/builds/\(number)"
    }

    /// The address of a build request.
    public func url(ofRequest id: Int) -> String {
        "\(buildbotURL)#/buildrequests/\(id)"
    }
}
