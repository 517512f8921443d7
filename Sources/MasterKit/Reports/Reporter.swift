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
}

/// The settings common to all reporters.
public struct ReporterOptions: Settings {
    /// The name, unique in a master.
    @Setting("The reporter's name; by default the plugin's.", .notEmpty)
    public var name: String?
    /// The generators.
    @Setting(
        "What is reported; by default the plugin decides.", declarations: .generators, .notEmpty)
    package var generators: [PluginDeclaration<any ReportGenerator, NoOptions>]?
    /// How often and when a failed delivery is retried.
    @Setting("How often and when an undelivered report is retried; by default for 75 h.")
    public var retry: RetryPolicy?
    /// The maximum number of concurrent deliveries.
    @Setting("How many reports are in flight at once, 1 to 64; by default 8.")
    package var inFlight: InFlightLimit?

    /// Creates the options with their defaults.
    public init() {}
}

extension ReporterOptions {
    /// Reports a body that is configured twice.
    public func check(_ settings: SettingsCheck) {
        let formatters = PluginKind.formatters.namespace
        warnOfUnusedDetails(settings, formatters)
        guard settings.isGiven("format"),
            let generator = generators?.first(where: { declaration in
                declaration.instances.contains { $0.key.namespace == formatters }
            })
        else { return }
        settings.error(
            "'format' can't stand beside \(generator.key) with a formatter of its own; "
                + "keep one of the two", at: "format")
    }

    /// Warns about details fetched for the reporter's own body when no report uses that body.
    private func warnOfUnusedDetails(_ settings: SettingsCheck, _ formatters: PluginNamespace) {
        let details = ["want_properties", "want_steps", "want_logs", "want_logs_content", "tail"]
        let given = details.filter(settings.isGiven)
        guard !given.isEmpty, let generators,
            generators.allSatisfy({ declaration in
                declaration.instances.contains { $0.key.namespace == formatters }
            })
        else { return }
        for name in given {
            settings.warning(
                "'\(name)' has no effect, as every generator has a formatter of its own; write it "
                    + "at the formatter", at: name)
        }
    }
}

extension ReporterOptions: SettingHints {
    /// Suggests where to put settings that belong to a generator or its formatter.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "message_formatter":
            "write it at a generator: 'generators: [generators.BuildStatusGenerator: "
                + "{message_formatter: …}]'"
        case "template", "subject", "template_type":
            "write it at the formatter of a generator: 'generators: "
                + "[generators.BuildStatusGenerator: {message_formatter: "
                + "{formatters.MessageFormatter: {\(name): …}}}]'"
        case "verbose": "write 'debug'"
        case "url", "address", "endpoint", "webhook", "server_url": "write 'serverUrl'"
        case "retries": "write 'retry'"
        default: nil
        }
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

/// The setting `inFlight`: the maximum number of concurrent deliveries of one reporter.
package struct InFlightLimit: SettingValue, Hashable {
    /// The maximum number of concurrent deliveries.
    package let count: Int

    private static let allowed = 1...64

    /// Creates the default limit.
    package init() {
        count = 8
    }

    private init(_ count: Int) {
        self.count = count
    }

    /// A description of the accepted values, for error messages.
    package static var shape: String {
        "a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    /// Reads a number.
    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> InFlightLimit? {
        guard case .int(let count) = node.resolved, allowed.contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return InFlightLimit(count)
    }
}
