/// Sends reports to somebody outside.
///
/// A reporter never delays, changes or fails a build. It is shared by all deliveries, several of
/// which may be under way at once; those of one build request come in order, one at a time.
public protocol Reporter: Plugin, CommonSettings {
    /// The generators when the file names none.
    var defaultGenerators: [any ReportGenerator] { get }

    /// Makes the body when a generator names no formatter; made anew whenever it is needed, and
    /// neither started nor stopped.
    var defaultFormatter: any MessageFormatter { get }

    /// Whether ``send(_:in:)`` looks at more of a report than its body, subject and results.
    ///
    /// If so, the records of builds, people, patches and logs are kept with each report until it
    /// has arrived; if not, that room is saved.
    var usesRecords: Bool { get }

    /// Sends one report; the same one again when an earlier try did not arrive.
    ///
    /// - Throws: ``DeliveryError``; any other error means that it is to be tried again.
    func send(_ report: Report, in context: DeliveryContext) async throws

    /// The address that reports go to at present, `nil` where there is none.
    ///
    /// Asked for once an endpoint has said that it is gone for good: another address opens it
    /// again. It may hold secrets; only what cannot be turned back into it is kept.
    func receiver(in context: DeliveryContext) throws -> String?
}

extension Reporter {
    /// The namespace `reporters`.
    public static var namespace: PluginNamespace { .reporters }

    /// The settings common to all reporters.
    public static func commonSettings() -> any Settings { ReporterOptions() }

    /// One report when a build starts and one when it ends, whatever the result.
    public var defaultGenerators: [any ReportGenerator] { [EveryBuildGenerator()] }

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
    @Setting("What is reported; by default what the plugin says.", plugins: .generators, .notEmpty)
    public var generators: [any ReportGenerator]?
    /// How often and when a report that did not arrive is tried again.
    @Setting("How often and when a report that did not arrive is tried again; by default 75 h.")
    public var retry: RetryPolicy?
    /// How many reports are on their way at once.
    @Setting("How many reports are on their way at once, 1 to 64; by default 8.")
    public var inFlight: InFlightLimit?

    /// Makes options with their defaults.
    public init() {}
}

extension ReporterOptions: CheckedOptions {
    /// Finds a body that is described twice.
    func check(_ settings: SettingsCheck) {
        guard settings.isGiven("format"),
            let generator = generators?.first(where: { !$0.formatters.isEmpty })
        else { return }
        settings.error(
            "'format' can't stand beside \(type(of: generator).key) with a formatter of its own; "
                + "keep one of the two", at: "format")
    }
}

extension PluginDeclaration where P == any Reporter {
    /// The name under which the reporter's deliveries are kept.
    public var name: String {
        (options as? ReporterOptions)?.name ?? key.name
    }

    /// The generators of the file, or else the plugin's own.
    public var generators: [any ReportGenerator] {
        (options as? ReporterOptions)?.generators ?? plugin.defaultGenerators
    }

    /// What the file says about trying again.
    public var retry: RetryPolicy? {
        (options as? ReporterOptions)?.retry
    }

    /// How many reports are on their way at once.
    public var inFlight: Int {
        ((options as? ReporterOptions)?.inFlight ?? InFlightLimit()).count
    }
}
