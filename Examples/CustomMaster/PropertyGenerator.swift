import MasterKit

/// Reports finished builds that have a property.
struct PropertyGenerator: ReportGenerator {
    static let summary = "Reports finished builds that have a property."

    @Setting("The property.", .primary, .notEmpty) var property: String
    @SettingGroup var filter: BuildFilter
    @Setting("Formats the message.", plugins: .formatters, .named("message_formatter"))
    var formatter: (any MessageFormatter)?

    var wantedEvents: Set<EventKind> { [.buildFinished] }

    func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event), event.property(property) != nil else { return nil }
        return try await context.report(with: formatter)
    }
}
