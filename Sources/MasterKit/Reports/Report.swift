/// What a reporter is to send: a body with what it is about.
public struct Report: Sendable, Hashable {
    /// The body in the form in which it is sent.
    public enum Body: Sendable, Hashable {
        /// A value, sent as JSON.
        case json(JSONValue)
        /// A text, sent as UTF-8 with its content type.
        case text(String, contentType: String)
    }

    /// The body.
    public var body: Body
    /// A heading, for reporters that have a place for it.
    public var subject: String?
    /// The result it tells of; `nil` at a start.
    public var results: Results?
    /// The builds it is about.
    public var buildIDs: [Int]

    /// Makes a report.
    public init(body: Body, subject: String? = nil, results: Results? = nil, buildIDs: [Int] = []) {
        self.body = body
        self.subject = subject
        self.results = results
        self.buildIDs = buildIDs
    }
}
