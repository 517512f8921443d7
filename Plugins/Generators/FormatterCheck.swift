import MasterKit

/// A formatter that knows which names of a report it uses, and where.
protocol NamingFormatter: MessageFormatter {
    /// The names that have no default.
    var uses: [ReportTemplate.Use] { get }
}

extension SettingsCheck {
    /// Warns of what a formatter names, but what the reports of a generator never have.
    ///
    /// - Parameters:
    ///   - formatters: The formatters of the generator.
    ///   - kind: What the generator reports.
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
        case .step, .log, .properties, .worker: return nil
        }
    }

    /// What a request knows of its build.
    private static let known: Set = [
        "builder", "builderid", "buildrequest", "buildset", "complete", "properties", "results",
        "url",
    ]
}
