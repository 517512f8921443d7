public import MasterKit

/// Reports builds when they have finished, picked by result.
public struct BuildStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary = "Reports finished builds, picked by result, tag or builder."

    @Setting("Which results are reported.", .primary)
    var mode = BuildModes.standard

    @SettingGroup var filter: BuilderFilter

    @Setting("Report the start of builds too.", .named("report_new"))
    var reportsNew = false

    /// Makes a generator to be configured.
    public init() {}

    /// Finds filters that exclude each other.
    public func check(_ settings: SettingsCheck) {
        filter.check(settings)
    }

    /// The ends of builds, and their starts when asked for.
    public var wantedEvents: Set<EventKind> {
        reportsNew ? [.buildNew, .buildFinished] : [.buildFinished]
    }

    /// Reports the build when filter and mode admit it; the mode does not apply to starts.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event) else { return nil }
        if event.kind != .buildNew {
            guard let results = event.results else { return nil }
            let previous = mode.comparesBuilds ? try await context.previousResults() : nil
            guard mode.admits(results, after: previous) else { return nil }
        }
        let formatter = (context.formatter as? BodyFormatter)?.reporting(mode)
        return try await context.report(with: formatter)
    }

    /// What to do instead of a setting that this generator has not.
    public static func hint(forUnknown name: String) -> String? {
        BuilderFilter.hint(forUnknown: name)
    }
}
