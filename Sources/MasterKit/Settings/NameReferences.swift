/// A name in a setting that only has an effect if something else in the file has it.
package struct NameUse: Sendable, Hashable {
    /// What the name is a name of.
    package enum Subject: Sendable, Hashable {
        /// A tag of a builder.
        case tag
        /// A step of a build.
        case step
        /// A log of a step, as `log` or `step.log`.
        case log
        /// A property of a build.
        case property
    }

    /// What the name is a name of.
    package let subject: Subject
    /// The name.
    package let name: String
    /// The location of the name.
    package let range: SourceRange?
}

/// The tag of a builder in a setting. A tag that no builder has is an error.
public struct TagName: SettingValue, Hashable {
    /// The tag.
    public let text: String

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the tag of a builder" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a tag.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> TagName? {
        decoder.name(of: .tag, from: node).map { TagName(text: $0) }
    }
}

/// The name of a step in a setting. One that no step has is an error, or a warning if the names of
/// some steps are computed.
public struct StepName: SettingValue, Hashable {
    /// The name.
    public let text: String

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the name of a step" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a name.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> StepName? {
        decoder.name(of: .step, from: node).map { StepName(text: $0) }
    }
}

/// The name of a log in a setting, as `log` or `step.log`. One that no step is known to write is a
/// warning.
public struct LogName: SettingValue, Hashable {
    /// The name.
    public let text: String

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the name of a log, as 'log' or 'step.log'" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a name.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> LogName? {
        decoder.name(of: .log, from: node).map { LogName(text: $0) }
    }
}

extension SettingDecoder {
    fileprivate func name(of subject: NameUse.Subject, from node: YAMLNode) -> String? {
        guard let name = decode(String.self, from: node) else { return nil }
        note(NameUse(subject: subject, name: name, range: node.range))
        return name
    }
}

/// What a run of a step may leave behind, as far as it is known before, so that `check` finds
/// misspelled names of it.
public struct StepProducts: Sendable, Hashable {
    /// The names of the logs that the step may write.
    public var logs: [String]
    /// The names of the properties that the step may set.
    public var properties: [String]
    /// Whether there may be others, for example because a name is computed.
    public var mayHaveOthers: Bool

    /// Creates a description.
    public init(
        logs: [String] = [], properties: [String] = [], mayHaveOthers: Bool = false
    ) {
        self.logs = logs
        self.properties = properties
        self.mayHaveOthers = mayHaveOthers
    }
}
