public import MasterKit

/// Makes the body with a function in Swift.
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
    public static let summary = "Makes the body with a function in Swift."

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
            throw RenderError("the function of \(Self.key) is to make a text, and made \(value)")
        }
        return Message(kind == .html ? .html(text) : .plain(text))
    }

    /// How a function is given.
    public static func hint(forUnknown name: String) -> String? { MissingFunction.remedy }
}
