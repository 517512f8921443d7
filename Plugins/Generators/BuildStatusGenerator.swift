public import MasterKit

/// Reports finished builds, selected by result.
public struct BuildStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary = "Reports finished builds, filtered by result, tag or builder."

    @Setting("Which results are reported.", .primary)
    var mode = ReportModes.standard

    @SettingGroup var filter: BuildFilter

    @Setting("Also report the start of builds.", .named("report_new"))
    var reportsNew = false

    @Setting(
        "Formats the message; by default the reporter does.", plugins: .formatters,
        .named("message_formatter"))
    var formatter: (any MessageFormatter)?

    @SettingGroup var details: ReportedDetails

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        settings.warnOfAbsentNames(in: formatter, of: .build, by: Self.key)
    }

    /// The ends of builds, and their starts if requested.
    public var wantedEvents: Set<EventKind> {
        reportsNew ? [.buildNew, .buildFinished] : [.buildFinished]
    }

    /// Reports the build if filter and mode accept it; the mode does not apply to starts.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event) else { return nil }
        if event.kind != .buildNew {
            guard try await context.isPicked(by: mode) else { return nil }
        }
        return try await context.report(with: formatter, details.options(mode))
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        GeneratorHints.hint(forOtherFormatter: name)
    }
}

/// Reports every build when it starts and when it ends, whatever the result.
public struct BuildStartEndStatusGenerator: ReportGenerator, SettingHints {
    /// What the generator does.
    public static let summary = "Reports every build when it starts and when it ends."

    @SettingGroup var filter: BuildFilter

    @Setting(
        "Formats the message of a start; by default the reporter does.", plugins: .formatters,
        .named("start_formatter"))
    var startFormatter: (any MessageFormatter)?

    @Setting(
        "Formats the message of an end; by default the reporter does.", plugins: .formatters,
        .named("end_formatter"))
    var endFormatter: (any MessageFormatter)?

    @SettingGroup var details: ReportedDetails

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        settings.warnOfAbsentNames(in: startFormatter, endFormatter, of: .build, by: Self.key)
    }

    /// The starts and ends of builds.
    public var wantedEvents: Set<EventKind> { [.buildNew, .buildFinished] }

    /// Reports the build if the filter accepts it.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event) else { return nil }
        let formatter = event.kind == .buildNew ? startFormatter : endFormatter
        return try await context.report(with: formatter, details.options())
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "mode": "it reports every result; generators.BuildStatusGenerator takes a mode"
        case "message_formatter": "write 'start_formatter' and 'end_formatter'"
        default: GeneratorHints.hint(forUnknown: name)
        }
    }
}
