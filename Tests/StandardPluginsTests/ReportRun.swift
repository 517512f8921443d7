import MasterKit
import MasterTesting
import StandardPlugins
import Testing

/// Runs generators and formatters that are configured as in a file.
enum ReportRun {
    static let identity = MasterIdentity(
        title: "Title", titleURL: "http://title/", buildbotURL: "http://ci/")

    /// The report created by a generator for an event, or `nil` if none.
    ///
    /// - Parameters:
    ///   - type: The generator.
    ///   - yaml: The settings of the generator.
    ///   - event: The event.
    ///   - source: The data that the generator queries.
    ///   - reporter: The settings of the reporter except its URL.
    ///   - harness: Records the logged messages.
    /// - Returns: The report.
    /// - Throws: Any error from the generator or its formatter.
    static func report<G: ReportGenerator>(
        by type: G.Type, _ yaml: String = "{}", of event: Event,
        in source: any ReportSource = RecordedBuild(), reporter: String = "",
        harness: ReporterHarness? = nil
    ) async throws -> Report? {
        let generator = try G.configured(yaml: yaml, registry: .standard, scope: .service)
        let reporter = try HttpStatusPush.configured(
            yaml: "serverUrl: http://h/\n\(reporter)", scope: .service)
        let harness = try harness ?? ReporterHarness(identity: identity)
        return try await harness.reports(
            of: reporter, for: event, of: source, generators: [generator]
        ).first
    }

    /// The report created by a formatter for an event.
    static func report<F: MessageFormatter>(
        with type: F.Type, _ yaml: String, of event: Event,
        in source: any ReportSource = RecordedBuild()
    ) async throws -> Report {
        try await report(
            with: F.configured(yaml: yaml, registry: .standard, scope: .service), of: event,
            in: source)
    }

    /// The report created by a formatter for an event.
    static func report(
        with formatter: any MessageFormatter, of event: Event,
        in source: any ReportSource = RecordedBuild(), _ options: ReportOptions = ReportOptions()
    ) async throws -> Report {
        let context = ReportContext(
            event: event, formatter: formatter, master: identity,
            logger: Logger(label: "test"), source: source)
        return try await context.report(options)
    }
}

extension ReportContext {
    /// The report created by the reporter's own formatter, with options.
    fileprivate func report(_ options: ReportOptions) async throws -> Report {
        try await report(with: nil, options)
    }
}

extension Report {
    /// The text, if the body is text.
    var text: String? {
        guard case .text(let text, _) = body else { return nil }
        return text
    }

    /// The value, if the body is JSON.
    var json: JSONValue? {
        guard case .json(let value) = body else { return nil }
        return value
    }
}
