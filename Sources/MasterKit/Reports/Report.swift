/// What a reporter is to send: a body with what it is about.
public struct Report: Sendable, Hashable {
    /// The body in the form in which it is sent.
    public enum Body: Sendable, Hashable {
        /// A value, sent as JSON.
        case json(JSONValue)
        /// A text, sent as UTF-8 with its content type.
        case text(String, contentType: String)
        /// No body.
        case empty
    }

    /// The body.
    public var body: Body
    /// A heading of one line, for reporters that have a place for it.
    public var subject: String?
    /// The result that is reported; `nil` at a start.
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
    /// Further data for reporters of a certain kind.
    public var extraInfo: JSONObject
    /// What settings of the reporter are computed from when the report is sent: ``Reporter/uses``.
    package var inputs: JSONObject = [:]
    /// What stands in the body in place of secrets until it is sent, with their names.
    package var secretMarks: [String: String] = [:]

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
    package var kind: TemplateText.Kind? {
        switch self {
        case .json: .json
        case .text(_, let contentType): contentType.hasPrefix("text/html") ? .html : .plain
        case .empty: nil
        }
    }
}

extension Report {
    /// Makes the report of a topic.
    init(_ message: Message, about topic: ReportTopic, _ options: ReportOptions) {
        self.init(
            body: message.body, subject: message.subject?.onOneLine, results: topic.results,
            buildIDs: topic.builds.compactMap { $0["buildid"]?.intValue },
            builds: topic.builds, buildset: topic.buildset, users: topic.users,
            patches: options.addsPatches ? topic.patches : [],
            logs: topic.builds.flatMap(\.logsWithContent), extraInfo: message.extraInfo)
        secretMarks = message.secretMarks
    }
}

extension ReportTopic {
    fileprivate var patches: [JSONValue] {
        let stamps = buildset?["sourcestamps"]?.arrayValue ?? []
        return stamps.compactMap { $0["patch"] }.filter { !$0.isNull }
    }
}

extension JSONObject {
    /// The logs of a build's steps that have their content.
    fileprivate var logsWithContent: [JSONValue] {
        let steps = self["steps"]?.arrayValue ?? []
        return steps.flatMap { $0["logs"]?.arrayValue ?? [] }.filter { $0["content"] != nil }
    }
}

extension String {
    /// The text without line ends, as headers and headings must be.
    fileprivate var onOneLine: String {
        guard contains(where: \.isNewline) else { return self }
        return split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}

extension Report {
    /// The report with something else in the place of each secret of its body.
    ///
    /// - Parameter text: What stands in the place of a secret, by its name.
    /// - Returns: The report, in whose body no secret is marked any more.
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

    /// Adds the report of another build of the same buildset.
    ///
    /// Texts and lists are put together, of anything else the first one stays; so do the kind of
    /// the body, the subject and each entry of the extra information. Results are the worst, and
    /// people, patches, logs and builds those of both.
    /// - Returns: Whether the body has all of both; if not, that of the other report is left out.
    @discardableResult
    package mutating func merge(_ other: Report) -> Bool {
        results = Results.worst(results, other.results)
        buildIDs += other.buildIDs
        builds += other.builds
        buildset = buildset ?? other.buildset
        users = Set(users + other.users).sorted()
        patches += other.patches.filter { !patches.contains($0) }
        logs += other.logs
        if inputs.isEmpty { inputs = other.inputs }
        guard other.body != .empty else { return true }
        guard body == .empty || body.kind == other.body.kind else { return false }
        subject = subject ?? other.subject
        for (name, info) in other.extraInfo { merge(info, into: name) }
        guard let merged = body.appending(other.body) else { return false }
        body = merged
        secretMarks.merge(other.secretMarks) { one, _ in one }
        return true
    }

    private mutating func merge(_ info: JSONValue, into name: String) {
        guard case .object(let theirs) = info, case .object(let ours)? = extraInfo[name] else {
            if extraInfo[name] == nil { extraInfo[name] = info }
            return
        }
        extraInfo[name] = .object(theirs.merging(ours))
    }
}

extension Report.Body {
    /// The body with another one behind it; `nil` when the two don't go together.
    fileprivate func appending(_ other: Report.Body) -> Report.Body? {
        switch (self, other) {
        case (.empty, _): other
        case (_, .empty): self
        case (.text(let one, let contentType), .text(let two, _)):
            .text(one + two, contentType: contentType)
        case (.json(.string(let one)), .json(.string(let two))): .json(.string(one + two))
        case (.json(.array(let one)), .json(.array(let two))): .json(.array(one + two))
        case (.json(.null), .json): other
        case (.json, .json(.null)): self
        default: nil
        }
    }
}
