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
///     var formatters: [any MessageFormatter] { [formatter].compactMap(\.self) }
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
public protocol ReportGenerator: Plugin {
    /// The kinds of events it is asked about.
    var wantedEvents: Set<EventKind> { get }

    /// The formatters among its settings; they are started and stopped with it.
    var formatters: [any MessageFormatter] { get }

    /// Makes the report of an event, `nil` for none.
    ///
    /// Called for each wanted event; events of one build request come in order, one at a time.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func generate(for event: Event, in context: ReportContext) async throws -> Report?
}

extension ReportGenerator {
    /// The namespace `generators`.
    public static var namespace: PluginNamespace { .generators }

    /// None: reports are made by the reporter's own formatter.
    public var formatters: [any MessageFormatter] { [] }
}
