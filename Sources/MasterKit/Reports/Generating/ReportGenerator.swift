/// Turns events into reports: it picks the events and lets a formatter make the words.
///
/// ```swift
/// /// Reports finished builds that have a property.
/// struct PropertyGenerator: ReportGenerator {
///     static let summary = "Reports finished builds that have a property."
///
///     @Setting("The property.", .primary, .notEmpty) var property: String
///     @SettingGroup var filter: BuildFilter
///     @Setting("Makes the words.", plugins: .formatters, .named("message_formatter"))
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
    /// The kinds of events it is asked about.
    var wantedEvents: Set<EventKind> { get }

    /// Makes the report of an event, `nil` for none.
    ///
    /// Called for each wanted event; events of one build request come in order, one at a time.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func generate(for event: Event, in context: ReportContext) async throws -> Report?
}

extension ReportGenerator {
    /// The namespace `generators`.
    public static var namespace: PluginNamespace { PluginKind.generators.namespace }
}

extension PluginKind<any ReportGenerator, NoOptions> {
    /// Report generators.
    public static var generators: Self { Self("generators") }
}
