/// One report when a build starts and one when it ends, whatever the result.
///
/// What a reporter reports when neither the file nor the reporter says anything else.
public struct EveryBuildGenerator: ReportGenerator {
    /// What the generator does.
    public static let summary = "Reports every build when it starts and when it ends."

    /// Makes the generator.
    public init() {}

    /// The starts and ends of builds.
    public var wantedEvents: Set<EventKind> { [.buildNew, .buildFinished] }

    /// Reports the build as the reporter's own formatter makes it.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        try await context.report()
    }
}
