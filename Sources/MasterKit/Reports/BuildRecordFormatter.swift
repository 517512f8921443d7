/// The record of the build as the data API gives it, as JSON.
public struct BuildRecordFormatter: MessageFormatter {
    /// What the formatter does.
    public static let summary = "The build as the data API gives it."

    /// What is fetched beside the record.
    public private(set) var wanted = BuildDetails()

    /// Makes a formatter that sends the record with its properties.
    public init() {}

    /// Makes a formatter that sends more or less than that.
    public init(wanted: BuildDetails) {
        self.wanted = wanted
    }

    /// The record itself.
    public func format(_ build: JSONObject, in context: ReportContext) -> Report {
        Report(body: .json(.object(build)), results: context.event.results)
    }
}
