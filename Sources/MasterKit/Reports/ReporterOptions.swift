/// The settings common to all reporters.
public struct ReporterOptions: Settings {
    /// The name, unique in a master.
    @Setting("The reporter's name; by default the plugin's.", .notEmpty)
    public var name: String?
    /// The generators.
    @Setting(
        "What is reported; by default the plugin decides.", declarations: .generators, .notEmpty)
    package var generators: [PluginDeclaration<any ReportGenerator, NoOptions>]?
    /// How often and when a failed delivery is retried.
    @Setting("How often and when an undelivered report is retried; by default for 75 h.")
    public var retry: RetryPolicy?
    /// The maximum number of concurrent deliveries.
    @Setting("How many reports are in flight at once, 1 to 64; by default 8.")
    package var inFlight: InFlightLimit?

    /// Creates the options with their defaults.
    public init() {}
}

extension ReporterOptions {
    /// Reports a body that is configured twice.
    public func check(_ settings: SettingsCheck) {
        let formatters = PluginKind.formatters.namespace
        warnOfUnusedDetails(settings, formatters)
        guard settings.isGiven("format"),
            let generator = generators?.first(where: { declaration in
                declaration.instances.contains { $0.key.namespace == formatters }
            })
        else { return }
        settings.error(
            "'format' can't stand beside \(generator.key) with a formatter of its own; "
                + "keep one of the two", at: "format")
    }

    /// Warns about details fetched for the reporter's own body when no report uses that body.
    private func warnOfUnusedDetails(_ settings: SettingsCheck, _ formatters: PluginNamespace) {
        let details = ["want_properties", "want_steps", "want_logs", "want_logs_content", "tail"]
        let given = details.filter(settings.isGiven)
        guard !given.isEmpty, let generators,
            generators.allSatisfy({ declaration in
                declaration.instances.contains { $0.key.namespace == formatters }
            })
        else { return }
        for name in given {
            settings.warning(
                "'\(name)' has no effect, as every generator has a formatter of its own; write it "
                    + "at the formatter", at: name)
        }
    }
}

extension ReporterOptions: SettingHints {
    /// Suggests where to put settings that belong to a generator or its formatter.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "message_formatter":
            "write it at a generator: 'generators: [generators.BuildStatusGenerator: "
                + "{message_formatter: …}]'"
        case "template", "subject", "template_type":
            "write it at the formatter of a generator: 'generators: "
                + "[generators.BuildStatusGenerator: {message_formatter: "
                + "{formatters.MessageFormatter: {\(name): …}}}]'"
        case "verbose": "write 'debug'"
        case "url", "address", "endpoint", "webhook", "server_url": "write 'serverUrl'"
        case "retries": "write 'retry'"
        default: nil
        }
    }
}

/// The setting `inFlight`: the maximum number of concurrent deliveries of one reporter.
package struct InFlightLimit: SettingValue, Hashable {
    /// The maximum number of concurrent deliveries.
    package let count: Int

    private static let allowed = 1...64

    /// Creates the default limit.
    package init() {
        count = 8
    }

    private init(_ count: Int) {
        self.count = count
    }

    /// A description of the accepted values, for error messages.
    package static var shape: String {
        "a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    package static var form: ValueForm { .integer }

    /// Reads a number.
    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> InFlightLimit? {
        guard case .int(let count) = node.resolved, allowed.contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return InFlightLimit(count)
    }
}
