public import MasterKit

/// Reports build requests when they are submitted, and when they are cancelled before the build;
/// of those that are collapsed, the start and the end of the build in their place.
public struct BuildRequestGenerator: ReportGenerator, SettingHints {
    /// When a request is reported.
    enum Moment: String, SettingEnumeration {
        case new
        case cancelled
        case collapsed

        var kind: EventKind {
            switch self {
            case .new: .buildrequestNew
            case .cancelled: .buildrequestCancelled
            case .collapsed: .buildrequestCollapsed
            }
        }

        /// Parses a name; Buildbot's name `cancel` is also accepted.
        static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> Moment? {
            node.scalarText == "cancel" ? .cancelled : named(by: node, with: decoder)
        }
    }

    /// What the generator does.
    public static let summary = "Reports new, cancelled and collapsed build requests."

    @Setting("When a request is reported: new, cancelled, collapsed.", .notEmpty)
    var events: [Moment] = [.new, .cancelled, .collapsed]

    @SettingGroup var filter: BuildFilter

    @Setting(
        "Formats the message; by default the reporter does.", plugins: .formatters,
        .alias("message_formatter"))
    var formatter: (any MessageFormatter)?

    @Setting("Include the patches of the sources.", .named("add_patch"))
    var addsPatches = false

    /// Creates an unconfigured generator.
    public init() {}

    /// Reports conflicting settings.
    public func check(_ settings: SettingsCheck) {
        settings.warnOfAbsentNames(in: formatter, of: .buildrequest, by: Self.key)
    }

    /// The selected events.
    public var wantedEvents: Set<EventKind> { Set(events.map(\.kind)) }

    /// Reports the request if the filter accepts what is known about its build.
    public func generate(for event: Event, in context: ReportContext) async throws -> Report? {
        guard filter.admits(event) else { return nil }
        return try await context.report(with: formatter, ReportOptions(addsPatches: addsPatches))
    }

    /// A hint for a setting that this generator does not have.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "mode": "a request has no result; generators.BuildStatusGenerator takes a mode"
        case "add_logs": "a request has no logs"
        default: GeneratorHints.hint(forUnknown: name)
        }
    }
}
