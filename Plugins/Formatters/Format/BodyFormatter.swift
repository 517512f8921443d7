public import MasterKit

/// Makes the body that `format` of a reporter describes.
public struct BodyFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "Makes the body that 'format' of a reporter describes."

    private let value: ReportValue
    /// What is fetched: what the reporter asks for, and what the body uses.
    public let wanted: BuildDetails

    /// Makes a formatter whose body is null.
    public init() {
        value = .constant(.null)
        wanted = BuildDetails()
    }

    init(_ format: ReportFormat, wanted: BuildDetails) {
        value = format.value
        self.wanted = wanted.union(format.needs)
    }

    /// Computes the body.
    ///
    /// - Throws: When a template can't be rendered, or grows beyond all bounds.
    public func format(_ topic: ReportTopic) throws -> Message {
        Message(.json(try value.render(in: topic.renderContext)))
    }
}
