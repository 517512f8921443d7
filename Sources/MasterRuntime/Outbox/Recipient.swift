import MasterHTTP
import MasterKit

/// A configured reporter as the outbox works with it.
struct Recipient: Sendable {
    /// The row of the reporter.
    let id: Int
    /// The name, unique in a master.
    let name: String
    /// What sends.
    let reporter: any Reporter
    /// What makes reports; the place of a generator is the part of its deliveries.
    let generators: [any ReportGenerator]
    /// The events that some generator asks for.
    let kinds: Set<EventKind>
    /// When a report that was not delivered is tried again.
    let schedule: RetrySchedule
    /// How many reports are on their way at once.
    let inFlight: Int
    /// Where the reporter's cookies and defaults live.
    let session: HTTPSession

    init(
        _ declaration: ReporterDeclaration,
        id: Int,
        session: HTTPSession,
        schedule: RetrySchedule
    ) {
        self.id = id
        self.session = session
        self.schedule = schedule.following(declaration.retry)
        inFlight = declaration.inFlight
        name = declaration.name
        reporter = declaration.plugin
        generators = declaration.generators
        kinds = generators.reduce(into: []) { $0.formUnion($1.wantedEvents) }
    }
}
