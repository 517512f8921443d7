/// Sends reports to somebody outside.
///
/// A reporter never delays, changes or fails a build. It is shared by all deliveries, several of
/// which may be under way at once; those of one build request come in order, one at a time.
public protocol Reporter: Plugin where Options == ReporterOptions {
    /// The generators when the file names none; they are neither started nor stopped.
    var defaultGenerators: [any ReportGenerator] { get }

    /// Makes the body when a generator names no formatter; made anew whenever it is needed, and
    /// neither started nor stopped.
    var defaultFormatter: any MessageFormatter { get }

    /// Whether ``send(_:in:)`` looks at more of a report than its body, subject and results.
    ///
    /// If so, the records of builds, people, patches and logs are kept with each report until it
    /// has arrived; if not, that room is saved.
    var usesRecords: Bool { get }

    /// What settings use of what is reported; it is kept with each report, masked.
    var uses: ReportUses { get }

    /// Sends one report; the same one again when an earlier try did not arrive.
    ///
    /// - Throws: ``DeliveryError``; any other error means that it is to be tried again.
    func send(_ report: Report, in context: DeliveryContext) async throws

    /// The address that reports go to at present, `nil` where there is none.
    ///
    /// Asked for once an endpoint has said that it is gone for good: another address opens it
    /// again. It may hold secrets; only what cannot be turned back into it is kept.
    func receiver(in context: DeliveryContext) throws -> String?

    /// Scheme, host and port of where a report goes, when these depend on the report; `nil` when all
    /// reports go to one place.
    ///
    /// Asked for when a report was made: an error is the reason why it is a failed delivery. The
    /// limit of what is in flight counts for each of these places by itself.
    func origin(of report: Report, in context: DeliveryContext) throws -> String?
}

extension Reporter {
    /// The namespace `reporters`.
    public static var namespace: PluginNamespace { PluginKind.reporters.namespace }

    /// A report at the start and one at the end of each build, whatever the result.
    public var defaultGenerators: [any ReportGenerator] { [EveryBuildGenerator()] }

    /// Null.
    public var uses: ReportUses { ReportUses() }

    /// One place.
    public func origin(of report: Report, in context: DeliveryContext) throws -> String? { nil }

    /// No address.
    public func receiver(in context: DeliveryContext) throws -> String? { nil }

    /// The record of the build as JSON.
    public var defaultFormatter: any MessageFormatter { RecordFormatter() }

    /// All of a report is kept.
    public var usesRecords: Bool { true }
}

/// The settings common to all reporters.
public struct ReporterOptions: Settings {
    /// The name, unique in a master.
    @Setting("The reporter's name; by default the plugin's.", .notEmpty)
    public var name: String?
    /// What is reported.
    @Setting(
        "What is reported; by default the plugin decides.", declarations: .generators, .notEmpty)
    public var generators: [PluginDeclaration<any ReportGenerator, NoOptions>]?
    /// How often and when a report that did not arrive is tried again.
    @Setting("How often and when an undelivered report is retried; by default for 75 h.")
    public var retry: RetryPolicy?
    /// How many reports are on their way at once.
    @Setting("How many reports are in flight at once, 1 to 64; by default 8.")
    public var inFlight: InFlightLimit?

    /// Makes options with their defaults.
    public init() {}
}

extension ReporterOptions {
    /// Finds a body that is described twice.
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

    /// Warns of what is fetched for the reporter's own body when no report has that body.
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
    /// What to do instead of writing settings that belong to a generator or its formatter.
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

/// A reporter as master.yaml declares it.
public typealias ReporterDeclaration = PluginDeclaration<any Reporter, ReporterOptions>

extension PluginKind<any Reporter, ReporterOptions> {
    /// Reporters.
    public static var reporters: Self { Self("reporters", scope: .service) }
}

extension PluginDeclaration where P == any Reporter, Options == ReporterOptions {
    /// The name under which the reporter's deliveries are kept.
    public var name: String {
        options.name ?? key.name
    }

    /// The generators of the file, or else the plugin's own.
    public var generators: [any ReportGenerator] {
        options.generators?.map(\.plugin) ?? plugin.defaultGenerators
    }

    /// What the file says about trying again.
    public var retry: RetryPolicy? {
        options.retry
    }

    /// How many reports are on their way at once.
    public var inFlight: Int {
        (options.inFlight ?? InFlightLimit()).count
    }
}
