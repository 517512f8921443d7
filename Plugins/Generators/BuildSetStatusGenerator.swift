public import MasterKit

/// Creates a single report for a finished buildset from a message for each build.
public struct BuildSetStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary =
        "Reports finished buildsets, with a message for each selected build."

    @Setting("Which results of builds are reported.", .primary)
    var mode = ReportModes.standard

    @SettingGroup var filter: BuildFilter

    @Setting(
        "Formats the message of each build; by default the reporter does.", plugins: .formatters,
        .named("message_formatter"))
    var formatter: (any MessageFormatter)?

    @SettingGroup var details: ReportedDetails

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        settings.warnOfAbsentNames(in: formatter, of: .build, by: Self.key)
    }

    /// The ends of buildsets.
    public var wantedEvents: Set<EventKind> { [.buildsetFinished] }

    /// Reports the builds of the buildset selected by filter and mode, if any.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        var picked: [ReportContext] = []
        for build in try await context.builds() where filter.admits(build.event) {
            if try await build.isPicked(by: mode) { picked.append(build) }
        }
        return try await context.report(of: picked, with: formatter, details.options(mode))
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        GeneratorHints.hint(forOtherFormatter: name)
    }
}

/// Reports a finished buildset as a whole, whatever the results of its builds.
public struct BuildSetCombinedStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary = "Reports finished buildsets as a whole, with one message."

    @Setting(
        "Formats the message of the buildset; by default the reporter does.", plugins: .formatters,
        .named("message_formatter"))
    var formatter: (any MessageFormatter)?

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports names that do not exist in buildset reports.
    public func check(_ settings: SettingsCheck) {
        settings.warnOfAbsentNames(in: formatter, of: .buildset, by: Self.key)
    }

    /// The ends of buildsets.
    public var wantedEvents: Set<EventKind> { [.buildsetFinished] }

    /// Reports the buildset with all its builds, even if there are none.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        try await context.report(with: formatter)
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "mode", "tags", "builders", "schedulers", "branches", "add_logs", "add_patch":
            "it reports every buildset as a whole; generators.BuildSetStatusGenerator picks builds"
        default: GeneratorHints.hint(forOtherFormatter: name)
        }
    }
}
