import MasterKit

/// A formatter that knows which names of a report it uses, and their positions.
protocol NamingFormatter: MessageFormatter {
    /// The names used without a default.
    var uses: [ReportTemplate.Use] { get }
}

extension SettingsCheck {
    /// Warns of names used by formatters that never exist in the reports of a generator.
    ///
    /// - Parameters:
    ///   - formatters: The formatters of the generator.
    ///   - kind: The kind of record reported by the generator.
    ///   - generator: The generator, for the message.
    func warnOfAbsentNames(
        in formatters: (any MessageFormatter)?..., of kind: EventKind.Record,
        by generator: PluginKey
    ) {
        for formatter in formatters.compactMap({ $0 as? any NamingFormatter }) {
            for use in formatter.uses {
                guard let name = Self.absentName(in: use.path, of: kind) else { continue }
                warning(
                    "'\(name)' is always null in reports of \(generator)" + use.addition,
                    at: use.range)
            }
        }
    }

    private static func absentName(in path: [String], of kind: EventKind.Record) -> String? {
        guard let name = path.first else { return nil }
        switch kind {
        case .build: return name == "step" ? name : nil
        case .buildset:
            return ["build", "step", "buildername", "build_url"].first { $0 == name }
        case .buildrequest:
            if name == "step" { return name }
            guard name == "build", path.count > 1 else { return nil }
            return known.contains(path[1]) ? nil : path.prefix(2).joined(separator: ".")
        case .step, .log, .properties, .worker, .scheduler: return nil
        }
    }

    /// The keys of a build that are known from its request.
    private static let known: Set = [
        "builder", "builderid", "buildrequest", "buildset", "complete", "properties", "results",
        "url",
    ]
}

/// Hints for settings that generators do not have.
enum GeneratorHints {
    static func hint(forUnknown name: String) -> String? {
        switch name {
        case "want_properties", "want_steps", "want_logs", "want_logs_content":
            "set it on the formatter, or for the reporter's own body on the reporter, with "
                + "'want_properties', 'want_steps', 'want_logs' and 'want_logs_content'"
        case "subject":
            "write it at the formatter: 'message_formatter: {formatters.MessageFormatter: "
                + "{subject: …}}'"
        case "format", "template":
            "write 'message_formatter: {formatters.MessageFormatter: …}', or 'format' at the "
                + "reporter"
        default: nil
        }
    }

    /// A hint for the formatters of `generators.BuildStartEndStatusGenerator`.
    static func hint(forOtherFormatter name: String) -> String? {
        switch name {
        case "start_formatter", "end_formatter", "formatter": "write 'message_formatter'"
        default: hint(forUnknown: name)
        }
    }
}

/// The settings of build generators that add details to those requested by a formatter.
struct ReportedDetails: Settings {
    @Setting(
        "Logs to include with their content; prefer 'want_logs_content' of a formatter.",
        .named("add_logs"))
    var logContents: LogContentChoice?

    @Setting("Include the patches of the sources.", .named("add_patch"))
    var addsPatches = false

    /// Warns of deprecated settings.
    func check(_ settings: SettingsCheck) {
        guard settings.isGiven("add_logs") else { return }
        settings.warning(
            "'add_logs' is deprecated; write 'want_logs_content' at the formatter",
            at: "add_logs")
    }

    /// The options for reports of a generator with certain modes.
    func options(_ modes: ReportModes = .none) -> ReportOptions {
        ReportOptions(
            modes: modes, logContents: logContents?.contents, addsPatches: addsPatches)
    }
}
