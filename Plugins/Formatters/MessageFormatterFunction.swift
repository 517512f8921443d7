public import MasterKit

/// Formats the body with a Swift function, as the formatter of a reporter:
///
/// ```swift
/// var defaultFormatter: any MessageFormatter {
///     MessageFormatterFunction(.json) { topic in
///         ["text": "\(topic.builderName ?? "all"): \(Results.text(topic.results))"]
///     }
/// }
/// ```
///
/// To use a function in a file, write a type that conforms to `MessageFormatter`.
public struct MessageFormatterFunction: MessageFormatter, SettingHints {
    /// Returns the body: any JSON value for `.json`, or a string for the other kinds.
    public typealias Function = @Sendable (ReportTopic) async throws -> JSONValue

    /// What the formatter does.
    public static let summary = "Formats the body with a Swift function."

    /// The details fetched for the function.
    public let wanted: BuildDetails
    private let kind: TemplateText.Kind
    private let function: Function?

    /// Creates a formatter from a function.
    ///
    /// - Parameters:
    ///   - kind: The kind of body.
    ///   - wanted: The details to fetch for the function.
    ///   - function: Returns the body. An error is recorded as the reason why there is no report.
    public init(
        _ kind: TemplateText.Kind, wanted: BuildDetails = BuildDetails(),
        _ function: @escaping Function
    ) {
        self.kind = kind
        self.wanted = wanted
        self.function = function
    }

    /// Creates a formatter without a function, which fails validation.
    public init() {
        kind = .json
        wanted = BuildDetails()
        function = nil
    }

    /// Reports that the function is missing, and how to provide one.
    public func check(_ settings: SettingsCheck) {
        MissingFunction.report(of: Self.key, to: settings)
    }

    /// Calls the function.
    ///
    /// - Throws: Any error from the function, or an error if it does not return a string when
    ///   required.
    public func format(_ topic: ReportTopic) async throws -> Message {
        guard let function else { throw MissingFunction(key: Self.key) }
        let value = try await function(topic)
        guard kind != .json else { return Message(.json(value)) }
        guard let text = value.stringValue else {
            throw RenderError(
                "the function of \(Self.key) must return a text, but returned \(value)")
        }
        return Message(kind == .html ? .html(text) : .plain(text))
    }

    /// A hint on how to provide a function.
    public static func hint(forUnknown name: String) -> String? {
        name == "function" ? MissingFunction.remedy : nil
    }
}

/// Formats the whole message – body, subject and extra information – with a Swift function.
///
/// ```swift
/// var defaultFormatter: any MessageFormatter {
///     MessageFormatterFunctionRaw { topic in
///         Message(.plain("…"), subject: "about \(topic.kind)", extraInfo: ["chat": ["room": 7]])
///     }
/// }
/// ```
public struct MessageFormatterFunctionRaw: MessageFormatter, SettingHints {
    /// Returns the message.
    public typealias Function = @Sendable (ReportTopic) async throws -> Message

    /// What the formatter does.
    public static let summary = "Formats body, subject and extra information in Swift."

    /// The details fetched for the function.
    public let wanted: BuildDetails
    private let function: Function?

    /// Creates a formatter from a function.
    ///
    /// - Parameters:
    ///   - wanted: The details to fetch for the function.
    ///   - function: Returns the message. An error is recorded as the reason why there is no
    ///     report.
    public init(wanted: BuildDetails = BuildDetails(), _ function: @escaping Function) {
        self.wanted = wanted
        self.function = function
    }

    /// Creates a formatter without a function, which fails validation.
    public init() {
        wanted = BuildDetails()
        function = nil
    }

    /// Reports that the function is missing, and how to provide one.
    public func check(_ settings: SettingsCheck) {
        MissingFunction.report(of: Self.key, to: settings)
    }

    /// Calls the function.
    ///
    /// - Throws: Any error from the function.
    public func format(_ topic: ReportTopic) async throws -> Message {
        guard let function else { throw MissingFunction(key: Self.key) }
        return try await function(topic)
    }

    /// A hint on how to provide a function.
    public static func hint(forUnknown name: String) -> String? {
        name == "function" ? MissingFunction.remedy : nil
    }
}

/// The error for a formatter in a file that needs a Swift function.
struct MissingFunction: Error, CustomStringConvertible {
    /// The formatter.
    let key: PluginKey

    /// How to fix it.
    static let remedy =
        "its function can only be given in Swift: write a type that conforms to MessageFormatter "
        + "and name it here, or use formatters.MessageFormatter"

    /// The error message.
    var description: String { "\(key) has no function; \(Self.remedy)" }

    /// Reports a formatter without a function.
    static func report(of key: PluginKey, to settings: SettingsCheck) {
        if !settings.isGiven("function") {
            settings.error("\(MissingFunction(key: key))", at: "function")
        }
    }
}
