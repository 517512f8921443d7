/// Turns events into reports: it selects the events, and a formatter formats the message.
///
/// ```swift
/// /// Reports finished builds that have a property.
/// struct PropertyGenerator: ReportGenerator {
///     static let summary = "Reports finished builds that have a property."
///
///     @Setting("The property.", .primary, .notEmpty) var property: String
///     @SettingGroup var filter: BuildFilter
///     @Setting("Formats the message.", plugins: .formatters, .named("message_formatter"))
///     var formatter: (any MessageFormatter)?
///
///     var wantedEvents: Set<EventKind> { [.buildFinished] }
///
///     func check(_ settings: SettingsCheck) {
///         filter.check(settings)
///     }
///
///     func generate(for event: Event, in context: ReportContext) async throws -> Report? {
///         guard filter.admits(event), event.property(property) != nil else { return nil }
///         return try await context.report(with: formatter)
///     }
/// }
/// ```
public protocol ReportGenerator: Plugin where Options == NoOptions {
    /// The kinds of events passed to the generator.
    var wantedEvents: Set<EventKind> { get }

    /// Returns the report for an event, or `nil` for no report.
    ///
    /// Called for each wanted event; for one build request, calls are in order and never
    /// concurrent.
    /// - Throws: An error whose description can be shown to the user; the report is then recorded
    ///   as a failed delivery with this description.
    func generate(for event: Event, in context: ReportContext) async throws -> Report?
}

extension ReportGenerator {
    /// The namespace `generators`.
    public static var namespace: PluginNamespace { PluginKind.generators.namespace }
}

extension PluginKind<any ReportGenerator, NoOptions> {
    /// The plugin kind for report generators.
    public static var generators: Self { Self("generators") }
}

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

/// The source of records for reports: the store, or a test double.
package protocol ReportSource: Sendable {
    /// Returns the steps of a build, in order, with their logs and log contents if wanted.
    ///
    /// - Parameters:
    ///   - build: The record of the build.
    ///   - details: Whether to include logs, and which ones.
    /// - Returns: The records of the steps.
    /// - Throws: Any error from the store.
    func steps(of build: JSONObject, with details: BuildDetails) async throws -> [JSONValue]

    /// Returns the events that finished the builds of a finished buildset; for a retried build,
    /// only that of the last try.
    func ends(ofBuildset id: Int) async throws -> [Event]

    /// Returns the results of a build, or `nil` if it is running or unknown.
    func results(ofBuild id: Int) async throws -> Results?

    /// Returns the results of a step of a build, or `nil` if it is running or there is no step of
    /// this name.
    func results(ofStep name: String, inBuild id: Int) async throws -> Results?
}
