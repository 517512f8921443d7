public import MasterKit

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
    public static let summary = "Makes body, subject and extra information with Swift."

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
    public static func hint(forUnknown name: String) -> String? { MissingFunction.remedy }
}
