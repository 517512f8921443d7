public import MasterKit

/// Reports every build when it starts and when it ends, whatever the result.
public struct BuildStartEndStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary = "Reports every build when it starts and when it ends."

    @SettingGroup var filter: BuilderFilter

    /// Makes a generator to be configured.
    public init() {}

    /// Finds filters that exclude each other.
    public func check(_ settings: SettingsCheck) {
        filter.check(settings)
    }

    /// The starts and ends of builds.
    public var wantedEvents: Set<EventKind> { [.buildNew, .buildFinished] }

    /// Reports the build when the filter admits its builder.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event) else { return nil }
        return try await context.report()
    }

    /// What to do instead of a setting that this generator has not.
    public static func hint(forUnknown name: String) -> String? {
        guard name == "mode" else { return BuilderFilter.hint(forUnknown: name) }
        return "it reports every result; generators.BuildStatusGenerator takes a mode"
    }
}
