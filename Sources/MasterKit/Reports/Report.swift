/// A report to be sent by a reporter: a body with what it is about.
public struct Report: Sendable, Hashable {
    /// The body in the form in which it is sent.
    public enum Body: Sendable, Hashable {
        /// A value, sent as JSON.
        case json(JSONValue)
        /// A string, sent as UTF-8 with its content type.
        case text(String, contentType: String)
        /// No body.
        case empty
    }

    /// The body.
    public var body: Body
    /// A one-line heading, for reporters that support one.
    public var subject: String?
    /// The reported result, or `nil` at the start.
    public var results: Results?
    /// The ids of the builds in the report.
    public var buildIDs: [Int]
    /// The records of the builds in the report, with the details wanted by the formatter.
    public var builds: [JSONObject]
    /// The record of their buildset.
    public var buildset: JSONObject?
    /// The users responsible for the builds, unique and sorted.
    public var users: [String]
    /// The patches of the source stamps, if the generator was asked to add them.
    public var patches: [JSONValue]
    /// The records of the logs whose content was wanted, with their content.
    public var logs: [JSONValue]
    /// Additional data for specific kinds of reporters.
    public var extraInfo: JSONObject
    /// The values from which the reporter's settings are computed when the report is sent:
    /// ``Reporter/uses``.
    package var inputs: JSONObject = [:]
    /// Placeholders for secrets in the body until it is sent, mapped to the secrets' names.
    package var secretMarks: [String: String] = [:]

    /// Creates a report.
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

    /// An HTML page or fragment.
    public static func html(_ text: String) -> Self {
        .text(text, contentType: "text/html; charset=utf-8")
    }

    /// The format of the body: plain text, HTML or JSON, or `nil` if there is none.
    package var kind: TemplateText.Kind? {
        switch self {
        case .json: .json
        case .text(_, let contentType): contentType.hasPrefix("text/html") ? .html : .plain
        case .empty: nil
        }
    }
}

extension Report {
    /// Replaces each placeholder for a secret in the body.
    ///
    /// - Parameter text: Returns the replacement for a secret, given its name.
    /// - Returns: The report with no placeholders left in its body.
    package func replacingSecretMarks(_ text: (String) -> String) -> Report {
        guard !secretMarks.isEmpty else { return self }
        let texts = secretMarks.mapValues(text)
        func replaced(_ string: String) -> String {
            texts.reduce(string) { $0.replacing($1.key, with: $1.value) }
        }
        func replaced(_ value: JSONValue) -> JSONValue {
            switch value {
            case .string(let string): .string(replaced(string))
            case .array(let items): .array(items.map { replaced($0) })
            case .object(let object):
                .object(JSONObject(object.map { (replaced($0.key), replaced($0.value)) }))
            case .null, .bool, .number: value
            }
        }
        var report = self
        report.secretMarks = [:]
        switch body {
        case .json(let value): report.body = .json(replaced(value))
        case .text(let string, let type): report.body = .text(replaced(string), contentType: type)
        case .empty: break
        }
        return report
    }
}
