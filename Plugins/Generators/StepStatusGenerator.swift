public import MasterKit

/// Reports each step of a build.
public struct StepStatusGenerator: ReportGenerator, SettingHints {
    /// When a step is reported.
    enum Moment: String, SettingEnumeration {
        case started
        case finished
    }

    /// What the generator does.
    public static let summary = "Reports steps, filtered by name, result or builder."

    @Setting("Which results of steps are reported; by default every one.", .primary)
    var mode: ReportModes?

    @Setting("Report only steps with these names.", .notEmpty)
    var steps: [StepName]?

    @Setting("When a step is reported: started, finished.", .notEmpty)
    var events: [Moment] = [.finished]

    @SettingGroup var filter: BuildFilter

    @Setting(
        "Formats the message; by default the reporter does.", plugins: .formatters,
        .named("message_formatter"))
    var formatter: (any MessageFormatter)?

    @SettingGroup var details: ReportedDetails

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        if mode != nil, events == [.started] {
            settings.error(
                "'mode' filters by result, and a started step has none; add 'finished' to "
                    + "'events', or omit 'mode'", at: "mode")
        }
    }

    /// The selected events.
    public var wantedEvents: Set<EventKind> {
        Set(events.map { $0 == .started ? .stepStarted : .stepFinished })
    }

    /// Reports the step if filter and mode accept it; the mode does not apply to starts.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event), isNamed(event) else { return nil }
        if let mode, event.kind == .stepFinished {
            guard try await context.isPicked(by: mode) else { return nil }
        }
        return try await context.report(with: formatter, details.options(mode ?? .none))
    }

    private func isNamed(_ event: Event) -> Bool {
        guard let steps else { return true }
        return event.record["name"]?.stringValue.map(steps.map(\.text).contains) ?? false
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        guard name != "report_new" else { return "write 'events: [started, finished]'" }
        return GeneratorHints.hint(forOtherFormatter: name)
    }
}
