public import MasterKit

/// Makes no body and no subject: for receivers to which the request itself says enough.
public struct MessageFormatterEmpty: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Makes no body: the request alone is the message."

    /// Makes the formatter.
    public init() {}

    /// Nothing is fetched.
    public var wanted: BuildDetails { BuildDetails(properties: false) }

    /// No words.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.empty)
    }
}
