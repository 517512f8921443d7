/// What a formatter makes: the words of a report.
public struct Message: Sendable, Hashable {
    /// The body.
    public var body: Report.Body
    /// A heading; `nil` for that which every report has.
    public var subject: String?
    /// What a reporter of a certain kind is to know beside the body: its name → settings of it.
    public var extraInfo: JSONObject

    /// Makes a message.
    public init(_ body: Report.Body, subject: String? = nil, extraInfo: JSONObject = [:]) {
        self.body = body
        self.subject = subject
        self.extraInfo = extraInfo
    }
}
