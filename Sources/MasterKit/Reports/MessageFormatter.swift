/// Makes the body of a report.
public protocol MessageFormatter: Plugin {
    /// What must be known of a build beside its record.
    var wanted: BuildDetails { get }

    /// Makes the report of a build.
    ///
    /// - Parameters:
    ///   - build: The record of the build, with what ``wanted`` asks for.
    ///   - context: The event and what can be looked up.
    /// - Returns: The report.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func format(_ build: JSONObject, in context: ReportContext) async throws -> Report
}

extension MessageFormatter {
    /// The namespace `formatters`.
    public static var namespace: PluginNamespace { .formatters }
}

/// What is fetched of a build for a report beside its record.
public struct BuildDetails: Sendable, Hashable {
    /// Which logs come with their content.
    public enum LogContents: Sendable, Hashable {
        /// None.
        case none
        /// All.
        case all
        /// Those of these names, as `log` or `step.log`.
        case named(Set<String>)
    }

    /// The build's properties; without them the record has an empty mapping.
    public var properties: Bool
    /// The build's steps.
    public var steps: Bool
    /// The logs of the steps; they bring the steps with them.
    public var logs: Bool
    /// The content of logs; it brings logs and steps with it.
    public var logContents: LogContents

    /// Makes a choice.
    public init(
        properties: Bool = true, steps: Bool = false, logs: Bool = false,
        logContents: LogContents = .none
    ) {
        self.properties = properties
        self.steps = steps
        self.logs = logs
        self.logContents = logContents
    }
}
