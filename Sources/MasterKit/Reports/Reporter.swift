/// Sends reports to another service.
///
/// A reporter never delays, changes or fails a build. It is shared by all deliveries, which may run
/// concurrently; those of one build request are in order, one at a time.
public protocol Reporter: Plugin where Options == ReporterOptions {
    /// The generators used if the file does not specify any; they are neither started nor stopped.
    var defaultGenerators: [any ReportGenerator] { get }

    /// The formatter used if a generator does not specify one; created anew whenever it is needed,
    /// and neither started nor stopped.
    var defaultFormatter: any MessageFormatter { get }

    /// Whether ``send(_:in:)`` uses more of a report than its body, subject and results.
    ///
    /// If so, the records of builds, users, patches and logs are stored with each report until it
    /// is delivered; if not, that space is saved.
    var usesRecords: Bool { get }

    /// The parts of a report that settings refer to; their values are stored with each report,
    /// masked.
    var uses: ReportUses { get }

    /// Sends a report; called again for the same report if an earlier attempt failed.
    ///
    /// - Throws: ``DeliveryError``; any other error causes a retry.
    func send(_ report: Report, in context: DeliveryContext) async throws

    /// Returns the URL that reports are currently sent to, or `nil` if there is none.
    ///
    /// Called after an endpoint has responded that it is permanently gone: a different URL resumes
    /// deliveries. It may contain secrets; only a keyed digest of it is stored.
    func receiver(in context: DeliveryContext) throws -> String?

    /// Returns the scheme, host and port that a report is sent to if they depend on the report, or
    /// `nil` if all reports go to the same place.
    ///
    /// Called after a report has been created: if it throws, the report becomes a failed delivery
    /// with that error as the reason. The limit on concurrent deliveries applies to each of these
    /// origins separately.
    func origin(of report: Report, in context: DeliveryContext) throws -> String?
}

extension Reporter {
    /// The namespace `reporters`.
    public static var namespace: PluginNamespace { PluginKind.reporters.namespace }

    /// One report when a build starts and one when it ends, whatever the result.
    public var defaultGenerators: [any ReportGenerator] { [EveryBuildGenerator()] }

    /// Uses nothing.
    public var uses: ReportUses { ReportUses() }

    /// The same place for all reports.
    public func origin(of report: Report, in context: DeliveryContext) throws -> String? { nil }

    /// No URL.
    public func receiver(in context: DeliveryContext) throws -> String? { nil }

    /// The record of the build as JSON.
    public var defaultFormatter: any MessageFormatter { RecordFormatter() }

    /// Keeps the whole report.
    public var usesRecords: Bool { true }

    /// What reports have to know for it, in addition to what their formatters want.
    package var needs: ReportUses {
        var needs = uses
        if usesRecords { needs.details.authors = true }
        return needs
    }
}

/// A reporter as declared in master.yaml.
package typealias ReporterDeclaration = PluginDeclaration<any Reporter, ReporterOptions>

extension PluginKind<any Reporter, ReporterOptions> {
    /// The plugin kind for reporters.
    public static var reporters: Self { Self("reporters", scope: .service) }
}

extension PluginDeclaration where P == any Reporter, Options == ReporterOptions {
    /// The name under which the reporter's deliveries are stored.
    package var name: String {
        options.name ?? key.name
    }

    /// The generators in the file, or else the plugin's defaults.
    package var generators: [any ReportGenerator] {
        options.generators?.map(\.plugin) ?? plugin.defaultGenerators
    }

    /// The retry policy in the file.
    package var retry: RetryPolicy? {
        options.retry
    }

    /// The maximum number of concurrent deliveries.
    package var inFlight: Int {
        (options.inFlight ?? InFlightLimit()).count
    }
}

// MARK: Defaults

/// Generates one report when a build starts and one when it ends, whatever the result.
///
/// The default for reporters if neither the file nor the reporter specifies generators.
package struct EveryBuildGenerator: ReportGenerator {
    /// What the generator does.
    package static let summary = "Reports every build when it starts and when it ends."

    package init() {}

    /// The starts and ends of builds.
    package var wantedEvents: Set<EventKind> { [.buildNew, .buildFinished] }

    /// Reports the build with the reporter's formatter.
    package func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        try await context.report()
    }
}

/// Formats the record of the report's topic as JSON, as the data API returns it.
///
/// A build includes its request, buildset and builder; a step its build; a request its builder and
/// buildset; a buildset its builds.
public struct RecordFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "The record of what is reported, as the data API gives it."

    /// The details to fetch in addition to the record.
    public private(set) var wanted = BuildDetails(authors: false)

    /// Creates a formatter that sends the record with its properties.
    public init() {}

    /// Creates a formatter that sends more or fewer details.
    public init(wanted: BuildDetails) {
        self.wanted = wanted
        self.wanted.authors = false
    }

    /// Returns the record.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.json(.object(topic.record)))
    }
}
