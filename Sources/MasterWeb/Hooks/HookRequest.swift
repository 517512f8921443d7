internal import FoundationEssentials
internal import HTTPTypes
internal import MasterKit

/// What a request to a change hook means.
struct HookOutcome: Sendable {
    /// The changes, oldest first.
    var changes: [Change] = []
    /// Why there is no change.
    var reason: String?
    /// Whether the same request sent again is another change.
    var isRepeatable = false

    static func nothing(_ reason: String) -> HookOutcome { HookOutcome(reason: reason) }
}

/// A verified request to a change hook.
struct HookRequest: Sendable {
    let request: WebRequest
    let dialect: ChangeHooks.Dialect
    /// When it arrived.
    let date = Date()

    init(_ request: WebRequest, _ dialect: ChangeHooks.Dialect) {
        self.request = request
        self.dialect = dialect
    }

    /// The codebase of the changes; that of the address goes first.
    var codebase: String { request.query("codebase") ?? dialect.codebase }

    /// Finds the changes.
    ///
    /// - Throws: ``WebFault`` if the request makes no sense.
    func outcome() throws(WebFault) -> HookOutcome {
        switch dialect.name {
        case "github": try RepositoryHook(hook: self, payload: payload(), isGitea: false).outcome()
        case "gitea": try RepositoryHook(hook: self, payload: payload(), isGitea: true).outcome()
        case "gitlab": try GitLabHook(hook: self, payload: payload()).outcome()
        case "bitbucketcloud": try BitbucketCloudHook(hook: self, payload: payload()).outcome()
        case "bitbucketserver": try BitbucketServerHook(hook: self, payload: payload()).outcome()
        default: try formOutcome()
        }
    }

    /// The event that a header names.
    func event(_ header: String) throws(WebFault) -> String {
        guard let event = request.header(header), !event.isEmpty else {
            throw WebFault(.badRequest, "the request has no header '\(header)'")
        }
        return event
    }

    func unknown(_ event: String) -> WebFault {
        WebFault(
            .badRequest,
            "unknown event '\(event.prefix(60))'; have the service send pushes and pull requests")
    }

    /// The JSON of the body, or of the field `payload` of a form.
    private func payload() throws(WebFault) -> HookPayload {
        var bytes = request.body
        switch request.mediaType {
        case "application/x-www-form-urlencoded":
            // Only the first: signed JSON with '&payload=' in a text of strangers is not a form.
            guard let payload = try form().first, payload.name == "payload" else {
                throw WebFault(.badRequest, "the form does not begin with the field 'payload'")
            }
            bytes = Array(payload.value.utf8)
        case "application/json": break
        default:
            throw WebFault(
                .unsupportedMediaType,
                "the body must be application/json or application/x-www-form-urlencoded")
        }
        let value: JSONValue
        do throws(JSONParserError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw WebFault(.badRequest, "the payload is not valid JSON: \(error)")
        }
        guard value.objectValue != nil else {
            throw WebFault(.badRequest, "the payload must be a JSON object")
        }
        return HookPayload(value)
    }

    // MARK: Forms

    /// The fields of the body.
    private func form() throws(WebFault) -> [(name: String, value: String)] {
        guard let form = WebRequest.form(Substring(decoding: request.body, as: UTF8.self)) else {
            throw WebFault(
                .badRequest, "the form is wrongly encoded; it must be UTF-8, percent-encoded")
        }
        return form
    }

    /// The change that a script sends as a form.
    private func formOutcome() throws(WebFault) -> HookOutcome {
        guard request.body.isEmpty || request.mediaType == "application/x-www-form-urlencoded"
        else {
            throw WebFault(
                .unsupportedMediaType,
                "send the fields as a form, application/x-www-form-urlencoded")
        }
        let items = request.query + (try form())
        // Scripts send empty fields for what they do not know.
        func field(_ names: String...) -> String? {
            names.lazy.compactMap { name in items.first { $0.name == name }?.value }
                .first { !$0.isEmpty }
        }
        let known: Set = [
            "author", "who", "committer", "comments", "revision", "branch", "category", "revlink",
            "repository", "project", "codebase", "when_timestamp", "when", "files", "properties",
        ]
        guard items.contains(where: { known.contains($0.name) }) else {
            throw WebFault(
                .badRequest,
                "the form has no field of a change, such as author, comments, branch and revision")
        }
        let files = try json(field("files"), "files", [])
        guard let names = files.arrayValue?.compactMap(\.stringValue),
            names.count == files.arrayValue?.count
        else { throw WebFault(.badRequest, "'files' must be a JSON list of texts") }
        guard let properties = try json(field("properties"), "properties", [:]).objectValue else {
            throw WebFault(.badRequest, "'properties' must be a JSON object")
        }
        var when = date
        if let text = field("when_timestamp", "when") {
            guard let seconds = Double(text), seconds.isFinite, abs(seconds) < 1e11 else {
                throw WebFault(
                    .badRequest, "'when_timestamp' must be a number of seconds since 1970")
            }
            when = Date(timeIntervalSince1970: seconds)
        }
        let change = Change(
            author: field("author", "who") ?? "", committer: field("committer"),
            comments: field("comments") ?? "", files: names,
            sourceStamp: SourceStamp(
                branch: field("branch"), revision: field("revision"),
                repository: field("repository") ?? "", project: field("project") ?? "",
                codebase: field("codebase") ?? dialect.codebase),
            revlink: field("revlink"), category: field("category"), properties: properties,
            when: when)
        return HookOutcome(changes: [change], isRepeatable: change.revision == nil)
    }

    private func json(
        _ text: String?, _ name: String, _ fallback: JSONValue
    ) throws(WebFault) -> JSONValue {
        guard let text else { return fallback }
        do throws(JSONParserError) {
            return try JSONValue(parsing: text)
        } catch {
            throw WebFault(.badRequest, "'\(name)' is not valid JSON: \(error)")
        }
    }
}

/// A JSON object that a service has sent, or a part of it.
struct HookPayload: Sendable {
    let value: JSONValue
    /// Where it is in what was sent.
    private let path: [String]

    init(_ value: JSONValue, at path: [String] = []) {
        self.value = value
        self.path = path
    }

    /// The value at a path of keys.
    subscript(path: String...) -> JSONValue? { self[path] }

    private subscript(path: [String]) -> JSONValue? {
        var found: JSONValue? = value
        for key in path { found = found?[key] }
        return found == .null ? nil : found
    }

    /// The text at a path of keys, if it is one.
    func text(_ path: String...) -> String? { self[path]?.stringValue }

    /// The number at a path of keys, if it is one.
    func number(_ path: String...) -> Int? { self[path]?.intValue }

    /// The objects of the list at a path of keys; none if it is not a list.
    func list(_ path: String...) -> [HookPayload] {
        (self[path]?.arrayValue ?? []).enumerated().map { index, item in
            HookPayload(item, at: self.path + path + ["\(index)"])
        }
    }

    /// The object at a path of keys.
    func part(_ path: String...) -> HookPayload {
        HookPayload(self[path] ?? .null, at: self.path + path)
    }

    /// The text at a path of keys.
    ///
    /// - Throws: ``WebFault`` if there is none.
    func needed(_ path: String...) throws(WebFault) -> String {
        guard let text = self[path]?.stringValue, !text.isEmpty else {
            throw lacks("text", path)
        }
        return text
    }

    /// The payload has no value of a kind at a path of keys.
    func lacks(_ kind: String, _ path: String...) -> WebFault { lacks(kind, path) }

    private func lacks(_ kind: String, _ path: [String]) -> WebFault {
        let place = (self.path + path).joined(separator: ".")
        return WebFault(.badRequest, "the payload has no \(kind) '\(place)'")
    }

    /// `name <email>` of a person.
    var person: String? {
        guard let name = text("name") ?? text("username") else { return text("email") }
        return text("email").map { "\(name) <\($0)>" } ?? name
    }

    /// The date at a path of keys, written as in ISO 8601.
    func date(_ path: String...) -> Date? {
        guard var text = self[path]?.stringValue else {
            // Bitbucket Server gives milliseconds.
            return self[path]?.intValue.map { Date(timeIntervalSince1970: Double($0) / 1000) }
        }
        if let dot = text.firstIndex(of: ".") {
            let end = text[dot...].dropFirst().firstIndex { !$0.isNumber } ?? text.endIndex
            text.removeSubrange(dot..<end)
        }
        if text.hasSuffix(" UTC") { text = text.dropLast(4).replacing(" ", with: "T") + "Z" }
        do {
            return try Date(text, strategy: .iso8601)
        } catch {
            return nil
        }
    }
}

/// A branch or a tag, as refs name it.
struct HookRef {
    let name: String
    let isTag: Bool

    /// `nil` for a ref that is neither.
    init?(_ ref: String) {
        if ref.hasPrefix("refs/heads/") {
            (name, isTag) = (String(ref.dropFirst(11)), false)
        } else if ref.hasPrefix("refs/tags/") {
            (name, isTag) = (String(ref.dropFirst(10)), true)
        } else {
            return nil
        }
    }

    /// Whether a hash stands for no commit, before a branch was made or after it was deleted.
    static func isNone(_ hash: String?) -> Bool {
        hash.map { !$0.isEmpty && $0.allSatisfy { $0 == "0" } } ?? false
    }
}
