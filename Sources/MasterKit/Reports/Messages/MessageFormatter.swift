/// Makes the words of a report: its body and its heading.
///
/// ```swift
/// /// One line about a build.
/// struct OneLine: MessageFormatter {
///     static let summary = "One line about a build."
///
///     func format(_ topic: ReportTopic) -> Message {
///         Message(.plain("\(topic.builderName ?? "all"): \(Results.text(topic.results))"))
///     }
/// }
/// ```
///
/// In a file it stands as `message_formatter: formatters.OneLine` at a generator.
public protocol MessageFormatter: Plugin where Options == NoOptions {
    /// What must be known of a build beside its record.
    var wanted: BuildDetails { get }

    /// Makes the message about a topic.
    ///
    /// Called once for each report, outside of every build; calls for different build requests may
    /// be under way at once.
    /// - Throws: An error with a sentence for people; the report is then kept as dead, with it.
    func format(_ topic: ReportTopic) async throws -> Message
}

extension MessageFormatter {
    /// The namespace `formatters`.
    public static var namespace: PluginNamespace { PluginKind.formatters.namespace }

    /// Properties, and nothing else beside the record.
    public var wanted: BuildDetails { BuildDetails() }
}

extension PluginKind<any MessageFormatter, NoOptions> {
    /// Message formatters.
    public static var formatters: Self { Self("formatters") }
}
