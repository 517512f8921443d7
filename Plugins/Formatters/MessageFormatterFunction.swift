public import MasterKit

/// Formats the body with a Swift function.
///
/// A reporter gives it as its formatter:
///
/// ```swift
/// var defaultFormatter: any MessageFormatter {
///     MessageFormatterFunction(.json) { topic in
///         ["text": "\(topic.builderName ?? "all"): \(Results.text(topic.results))"]
///     }
/// }
/// ```
///
/// A function that a file is to name is a type that conforms to `MessageFormatter`.
public struct MessageFormatterFunction: MessageFormatter, SettingHints {
    /// Makes a body: a value of JSON, or the text for the other kinds.
    public typealias Function = @Sendable (ReportTopic) async throws -> JSONValue

    /// What the formatter does.
    public static let summary = "Formats the body with a Swift function."

    /// What is fetched.
    public let wanted: BuildDetails
    private let kind: TemplateText.Kind
    private let function: Function?

    /// Makes a formatter of a function.
    ///
    /// - Parameters:
    ///   - kind: What the function makes.
    ///   - wanted: What is to be fetched for it.
    ///   - function: Makes the body. What it throws is kept as the reason why there is no report.
    public init(
        _ kind: TemplateText.Kind, wanted: BuildDetails = BuildDetails(),
        _ function: @escaping Function
    ) {
        self.kind = kind
        self.wanted = wanted
        self.function = function
    }

    /// Makes a formatter without a function, as a file would; it is found wrong.
    public init() {
        kind = .json
        wanted = BuildDetails()
        function = nil
    }

    /// Says how a function is given.
    public func check(_ settings: SettingsCheck) {
        MissingFunction.report(of: Self.key, to: settings)
    }

    /// Calls the function.
    ///
    /// - Throws: What the function throws, or when it makes no text where it is to.
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

    /// How a function is given.
    public static func hint(forUnknown name: String) -> String? {
        name == "function" ? MissingFunction.remedy : nil
    }
}

/// Makes the whole message – body, subject and extra information – with a function in Swift.
///
/// ```swift
/// var defaultFormatter: any MessageFormatter {
///     MessageFormatterFunctionRaw { topic in
///         Message(.plain("…"), subject: "about \(topic.kind)", extraInfo: ["chat": ["room": 7]])
///     }
/// }
/// ```
public struct MessageFormatterFunctionRaw: MessageFormatter, SettingHints {
    /// Makes a message.
    public typealias Function = @Sendable (ReportTopic) async throws -> Message

    /// What the formatter does.
    public static let summary = "Formats body, subject and extra information in Swift."

    /// What is fetched.
    public let wanted: BuildDetails
    private let function: Function?

    /// Makes a formatter of a function.
    ///
    /// - Parameters:
    ///   - wanted: What is to be fetched for it.
    ///   - function: Makes the message. What it throws is kept as the reason why there is no report.
    public init(wanted: BuildDetails = BuildDetails(), _ function: @escaping Function) {
        self.wanted = wanted
        self.function = function
    }

    /// Makes a formatter without a function, as a file would; it is found wrong.
    public init() {
        wanted = BuildDetails()
        function = nil
    }

    /// Says how a function is given.
    public func check(_ settings: SettingsCheck) {
        MissingFunction.report(of: Self.key, to: settings)
    }

    /// Calls the function.
    ///
    /// - Throws: What the function throws.
    public func format(_ topic: ReportTopic) async throws -> Message {
        guard let function else { throw MissingFunction(key: Self.key) }
        return try await function(topic)
    }

    /// How a function is given.
    public static func hint(forUnknown name: String) -> String? {
        name == "function" ? MissingFunction.remedy : nil
    }
}

/// A formatter that takes a function stands in a file, which can't give one.
struct MissingFunction: Error, CustomStringConvertible {
    /// The formatter.
    let key: PluginKey

    /// What to do in place of it.
    static let remedy =
        "its function can only be given in Swift: write a type that conforms to MessageFormatter "
        + "and name it here, or use formatters.MessageFormatter"

    /// What is wrong, and what to do.
    var description: String { "\(key) has no function; \(Self.remedy)" }

    /// Reports that a file names the formatter.
    static func report(of key: PluginKey, to settings: SettingsCheck) {
        if !settings.isGiven("function") {
            settings.error("\(MissingFunction(key: key))", at: "function")
        }
    }
}
