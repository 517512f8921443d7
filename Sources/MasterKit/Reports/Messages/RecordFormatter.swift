/// The record of what is reported, as the data API gives it, as JSON.
///
/// A build comes with its request, buildset and builder; a step with its build; a request with its
/// builder and buildset; a buildset with its builds.
public struct RecordFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "The record of what is reported, as the data API gives it."

    /// What is fetched beside the record.
    public private(set) var wanted = BuildDetails()

    /// Makes a formatter that sends the record with its properties.
    public init() {}

    /// Makes a formatter that sends more or less than that.
    public init(wanted: BuildDetails) {
        self.wanted = wanted
    }

    /// The record itself.
    public func format(_ topic: ReportTopic) -> Message {
        Message(.json(.object(topic.record)))
    }
}
