/// What a reporter is to send: a body with what it is about.
public struct Report: Sendable, Hashable {
    /// The body in the form in which it is sent.
    public enum Body: Sendable, Hashable {
        /// A value, sent as JSON.
        case json(JSONValue)
        /// A text, sent as UTF-8 with its content type.
        case text(String, contentType: String)
        /// Nothing: the request alone says it.
        case empty
    }

    /// The body.
    public var body: Body
    /// A heading of one line, for reporters that have a place for it.
    public var subject: String?
    /// The result it tells of; `nil` at a start.
    public var results: Results?
    /// The ids of the builds it is about.
    public var buildIDs: [Int]
    /// The records of the builds it is about, with what the formatter wanted of them.
    public var builds: [JSONObject]
    /// The record of their buildset.
    public var buildset: JSONObject?
    /// The people who are responsible for the builds, each once, sorted.
    public var users: [String]
    /// The patches of the sources, when the generator was asked to add them.
    public var patches: [JSONValue]
    /// The records of the logs whose content was wanted, with their content.
    public var logs: [JSONValue]
    /// What a reporter of a certain kind is to know beside the body.
    public var extraInfo: JSONObject

    /// Makes a report.
    public init(
        body: Body, subject: String? = nil, results: Results? = nil, buildIDs: [Int] = [],
        builds: [JSONObject] = [], buildset: JSONObject? = nil, users: [String] = [],
        patches: [JSONValue] = [], logs: [JSONValue] = [], extraInfo: JSONObject = [:]
    ) {
        self.body = body
        self.subject = subject
        self.results = results
        self.buildIDs = buildIDs
        self.builds = builds
        self.buildset = buildset
        self.users = users
        self.patches = patches
        self.logs = logs
        self.extraInfo = extraInfo
    }
}

extension Report.Body {
    /// A plain text.
    public static func plain(_ text: String) -> Self {
        .text(text, contentType: "text/plain; charset=utf-8")
    }

    /// A page or a piece of HTML.
    public static func html(_ text: String) -> Self {
        .text(text, contentType: "text/html; charset=utf-8")
    }

    /// What the body is: plain text, HTML or JSON; `nil` when there is none.
    public var kind: TemplateText.Kind? {
        switch self {
        case .json: .json
        case .text(_, let contentType): contentType.hasPrefix("text/html") ? .html : .plain
        case .empty: nil
        }
    }
}
