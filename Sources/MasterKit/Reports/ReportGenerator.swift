/// Turns events into reports: it picks the events and lets a formatter make the text.
public protocol ReportGenerator: Plugin {
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
    public static var namespace: PluginNamespace { .generators }
}
