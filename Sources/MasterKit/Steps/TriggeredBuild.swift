extension StepContext {
    /// Submits builds that this build does not wait for.
    ///
    /// They are built like those that a user asks for, and have this build as their parent. Their
    /// properties are those of the request; this build's own are not passed on.
    ///
    /// - Parameter request: Which builders should build what, and why.
    /// - Returns: The buildset with its requests.
    /// - Throws: ``TriggerError`` if the builds can't be triggered.
    @discardableResult
    public func trigger(_ request: BuildsetRequest) async throws -> Submission {
        try await host.trigger(request)
    }

    /// Submits builds and waits until all of them have ended.
    ///
    /// ```swift
    /// let builds = try await context.build(
    ///     BuildsetRequest(
    ///         builders: ["test"], reason: "release", sourceStamps: context.sourceStamps))
    /// return builds.allSatisfy { $0.results == .success } ? .success : .failure
    /// ```
    ///
    /// Meanwhile this build needs no slot of its worker. If the step is stopped, so are the builds.
    ///
    /// - Parameter request: Which builders should build what, and why.
    /// - Returns: The builds, one for each builder of the request, in its order.
    /// - Throws: ``TriggerError`` if the builds can't be triggered, and `CancellationError` if the
    ///   step was stopped.
    public func build(_ request: BuildsetRequest) async throws -> [TriggeredBuild] {
        try await host.build(request)
    }
}

/// The end of a build that a step has triggered.
public struct TriggeredBuild: Sendable, Hashable {
    /// The name of its builder.
    public let builder: String
    /// Its number within its builder, or `nil` if it was cancelled before it began.
    public let number: Int?
    /// Its result.
    public let results: Results
    /// A description of how it ended.
    public let stateString: String
    /// Its properties, with secrets masked.
    public let properties: Properties

    /// Creates a description of a build.
    public init(
        builder: String, number: Int?, results: Results, stateString: String = "",
        properties: Properties = Properties()
    ) {
        self.builder = builder
        self.number = number
        self.results = results
        self.stateString = stateString
        self.properties = properties
    }

    /// The name of the build, such as `test #3`.
    public var title: String { number.map { "\(builder) #\($0)" } ?? builder }
}

/// The reason why builds can't be triggered, such as an unknown builder.
public struct TriggerError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and how to remedy it, without secrets.
    public let message: String

    /// Creates an error.
    public init(_ message: String) {
        self.message = message
    }

    /// The message without its remedy, short enough for a state text.
    public var reason: String { message.firstClause }

    /// The message.
    public var description: String { message }
}

/// The name of a builder in a setting. A name that the file does not declare is an error.
public struct BuilderReference: SettingValue, Hashable {
    /// The name.
    public let name: String
    /// The location of the name, unless it was computed.
    public let range: SourceRange?

    /// Creates a reference.
    public init(_ name: String, at range: SourceRange? = nil) {
        self.name = name
        self.range = range
    }

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the name of a builder" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a name.
    public static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> BuilderReference? {
        guard case .scalar = node.kind, let name = decoder.decode(String.self, from: node) else {
            return decoder.mismatch(node, expected: shape)
        }
        guard !name.isEmpty else { return decoder.mismatch(node, expected: shape) }
        let reference = BuilderReference(name, at: node.range ?? decoder.insertion)
        decoder.note(reference)
        return reference
    }
}

/// The name of a property that a step reads, in a setting.
public struct PropertyName: SettingValue, Hashable {
    /// The name.
    public let text: String

    /// A description of the accepted values, for error messages.
    public static var shape: String { "the name of a property" }

    /// The form of the accepted values.
    public static var form: ValueForm { .text }

    /// Reads a name, which then counts as used in the file.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> PropertyName? {
        guard let text = decoder.decode(String.self, from: node) else { return nil }
        guard !text.isEmpty else { return decoder.mismatch(node, expected: shape) }
        decoder.note(property: text, at: node.range)
        return PropertyName(text: text)
    }
}

/// A step that triggers builds and may wait for them.
///
/// Builders whose builds would wait for each other, so that none could end, are found by `check`.
public protocol TriggeringStep: Step {
    /// The builders whose builds the step waits for, as far as they are known before a build.
    var awaitedBuilders: [BuilderReference] { get }

    /// The builders whose builds the step triggers, whether it waits or not, as far as they are
    /// known before a build; by default those that it waits for.
    var triggeredBuilders: [BuilderReference] { get }

    /// The schedulers that the step triggers, as far as they are known before a build; none by
    /// default.
    var triggeredSchedulers: [SchedulerReference] { get }

    /// Those of them whose builds the step waits for; none by default.
    var awaitedSchedulers: [SchedulerReference] { get }
}

extension TriggeringStep {
    /// The builders that the step waits for.
    public var triggeredBuilders: [BuilderReference] { awaitedBuilders }

    /// No schedulers.
    public var triggeredSchedulers: [SchedulerReference] { [] }

    /// No schedulers.
    public var awaitedSchedulers: [SchedulerReference] { [] }
}
