import Synchronization

/// The interface of a reporter while it sends a report.
public struct DeliveryContext: Sendable {
    /// The id of the delivery, the same for every attempt: `msg_<store>_<reporter>_<seq>_<part>`.
    public let id: String
    /// The number of the attempt, starting at 1.
    public let attempt: Int
    /// The delivery's logger; messages are masked.
    public let logger: Logger
    /// Replaces secrets in everything that is displayed or stored.
    public let mask: SecretMask
    private let secrets: SecretValues
    private let http: HTTPClient
    private let session: HTTPSession
    /// The requests and responses of this attempt so far, for displays and the store.
    package let trace = DeliveryTrace()

    package init(
        id: String, attempt: Int, logger: Logger, secrets: SecretValues, mask: SecretMask,
        http: HTTPClient, session: HTTPSession
    ) {
        self.id = id
        self.attempt = attempt
        self.logger = logger
        self.secrets = secrets
        self.mask = mask
        self.http = http
        self.session = session
    }

    /// Computes the value of a setting; it can refer only to secrets.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>
    ) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(secrets: secrets))
    }

    /// Computes the value of an optional setting, or `nil` if it was omitted.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>?
    ) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: RenderContext(secrets: secrets))
    }

    /// Computes the value of a setting for a report; it can refer to secrets and to whatever the
    /// reporter declares in ``Reporter/uses``.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>, for report: Report
    ) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(inputs: report.inputs, secrets: secrets))
    }

    /// The maximum number of response bytes that are read; the rest is discarded.
    public static let responseLimit = 1 << 20
    /// The header that carries the delivery's ``id``.
    private static let idHeader = "webhook-id"

    /// Sends an HTTP request using the reporter's session, and records the response.
    ///
    /// The request gets the header `webhook-id` with the delivery's ``id`` unless it has one, so
    /// that a receiver can recognize a report that it gets twice. A response longer than ``responseLimit`` is truncated; its status is enough to know whether
    /// the report was accepted.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        var request = request
        if request.headers[Self.idHeader] == nil { request.headers.set(Self.idHeader, id) }
        request.responseLimit = Self.responseLimit
        request.cutsLongBody = true
        trace.note(receiver: mask.apply(to: HTTPAddress.withoutUser(request.url)))
        let response: HTTPResponse
        do {
            response = try await http.send(
                request, in: session, hiding: { [mask] in mask.apply(to: $0) })
        } catch {
            trace.note(fault: error)
            throw error
        }
        trace.note(status: response.status, responseText: mask.apply(to: response.text))
        return response
    }

    /// Sends a mail, and records the reply of the mail server.
    public func send(_ mail: SMTPRequest) async throws(HTTPError) -> SMTPResponse {
        trace.note(receiver: mask.apply(to: mail.url))
        let response: SMTPResponse
        do {
            response = try await mail.send()
        } catch {
            trace.note(fault: error)
            throw error
        }
        trace.note(
            status: response.reply.code, responseText: mask.apply(to: response.reply.text))
        return response
    }
}

/// The requests and responses of one delivery attempt, masked.
public final class DeliveryTrace: Sendable {
    /// The maximum number of response bytes that are kept.
    package static let textLimit = 4096

    private struct State {
        var receiver: String?
        var fault: HTTPError?
        var status: Int?
        var responseText: String?
    }

    private let state = Mutex(State())

    package init() {}

    /// The URL of the last request, without user and password.
    public var receiver: String? { state.withLock { $0.receiver } }

    /// The error if the last request got no response.
    public var fault: HTTPError? { state.withLock { $0.fault } }

    /// The status of the last response.
    public var status: Int? { state.withLock { $0.status } }

    /// The beginning of the last response body.
    public var responseText: String? { state.withLock { $0.responseText } }

    /// Records the URL of a request.
    package func note(receiver: String) {
        state.withLock { $0.receiver = receiver }
    }

    /// Records that a request failed without a response.
    package func note(fault: HTTPError) {
        state.withLock { $0.fault = fault }
    }

    /// Records a response.
    package func note(status: Int, responseText text: String) {
        let kept = text.beginning(ofUTF8: Self.textLimit)
        state.withLock {
            $0.status = status
            $0.responseText = kept
        }
    }
}

extension String {
    /// The longest prefix of whole Unicode characters that fits in a number of bytes.
    package func beginning(ofUTF8 count: Int) -> String {
        guard var end = utf8.index(startIndex, offsetBy: count, limitedBy: endIndex) else {
            return self
        }
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}

/// The parts of a report that a reporter's settings refer to, for settings that are computed for
/// each report.
public struct ReportUses: Sendable, Hashable {
    /// The names of properties.
    public var properties: Set<String> = []
    /// Template variables, such as `build.number`, as path components.
    public var variables: Set<[String]> = []
    /// Whether attributes of the source stamps are used.
    public var usesSources = false
    /// The details of a build that must be fetched for them.
    public var details = BuildDetails(properties: false, authors: false)

    /// Creates an empty set.
    public init() {}

    /// Whether nothing is used, so that all reports have the same values.
    public var isEmpty: Bool { properties.isEmpty && variables.isEmpty && !usesSources }

    /// The names of everything that is used.
    fileprivate var names: Set<String> {
        var names = properties.union(variables.map { "{{ \($0.joined(separator: ".")) }}" })
        if usesSources { names.insert("%(src)") }
        return names
    }

    /// Returns everything that either of them uses.
    public func union(_ other: ReportUses) -> ReportUses {
        var union = self
        union.properties.formUnion(other.properties)
        union.variables.formUnion(other.variables)
        union.usesSources = usesSources || other.usesSources
        union.details = details.union(other.details)
        return union
    }
}

extension ReportTopic {
    /// The values used by settings, as stored with the report.
    func inputs(for uses: ReportUses) -> JSONObject {
        guard !uses.isEmpty else { return [:] }
        let (properties, variables) = (properties, variables)
        let known = JSONObject(
            uses.properties.sorted().compactMap { name in properties[name].map { (name, $0) } })
        var template = JSONObject()
        for path in uses.variables.sorted(by: { $0.count < $1.count }) {
            Self.copy(path[...], from: .object(variables), to: &template)
        }
        var inputs: JSONObject = [
            "properties": .object(known), "template": .object(template),
            "results": .optional(results?.rawValue),
            "uses": .array(uses.names.sorted().map { .string($0) }),
        ]
        if uses.usesSources { inputs["sourcestamps"] = buildset?["sourcestamps"] }
        return inputs
    }

    /// Copies the value at a path; a list is copied whole, and a missing value as null.
    private static func copy(
        _ path: ArraySlice<String>, from value: JSONValue, to object: inout JSONObject
    ) {
        guard let name = path.first else { return }
        let found = value[name] ?? .null
        guard path.count > 1, case .object = found else {
            object[name] = found
            return
        }
        var inner = object[name]?.objectValue ?? JSONObject()
        copy(path.dropFirst(), from: found, to: &inner)
        object[name] = .object(inner)
    }
}

extension Report {
    /// Whether the report was created with everything that the settings use; `false` if the
    /// settings have changed since.
    public func keeps(_ uses: ReportUses) -> Bool {
        let kept = inputs["uses"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return uses.names.isSubset(of: kept)
    }
}

extension RenderContext {
    /// Creates the context for computing a reporter's settings for a report.
    init(inputs: JSONObject, secrets: SecretValues) {
        var properties = Properties()
        for (name, value) in inputs["properties"]?.objectValue ?? [:] {
            properties.set(name, value, source: "Build")
        }
        self.init(
            properties: properties,
            sourceStamps: SourceStamp.list(inputs["sourcestamps"]?.arrayValue ?? []),
            secrets: secrets,
            results: inputs["results"]?.intValue.flatMap(Results.init(rawValue:)) ?? .success,
            template: inputs["template"]?.objectValue ?? [:])
    }
}

extension SourceStamp {
    /// Creates source stamps from the data API's form.
    static func list(_ records: [JSONValue]) -> [SourceStamp] {
        records.map { stamp in
            SourceStamp(
                branch: stamp["branch"]?.stringValue, revision: stamp["revision"]?.stringValue,
                repository: stamp["repository"]?.stringValue ?? "",
                project: stamp["project"]?.stringValue ?? "",
                codebase: stamp["codebase"]?.stringValue ?? "")
        }
    }
}

extension SettingDecoder {
    /// Reads a value that becomes part of a message and is computed for each report.
    ///
    /// A name that no report has is an error, and so is a secret where the value is a string that
    /// is stored until it has been delivered.
    ///
    /// - Parameters:
    ///   - allowsSecrets: Whether the value can keep references to secrets.
    ///   - read: Reads the value.
    /// - Returns: The value, the paths named by its expressions, and the names of its secrets.
    public func readMessage<Value>(
        allowingSecrets allowsSecrets: Bool = false, _ read: () -> Value?
    ) -> (value: Value?, paths: [[String]], secrets: Set<String>) {
        let secretsBefore = secretUses.count
        let usesBefore = templateUses.count
        let value = within(.report, read)
        let secrets = secretUses[secretsBefore...]
        for use in secrets where !allowsSecrets {
            error(
                "the message of a formatter is stored until it is delivered and can't hold the "
                    + "secret '\(use.name)'; send it in 'format', 'headers' or 'auth' of the "
                    + "reporter", at: use.range)
        }
        reportFaults(of: templateUses[usesBefore...])
        return (value, templateUses[usesBefore...].map(\.path), Set(secrets.map(\.name)))
    }

    /// Reads a setting of a reporter that is computed for each report; a name that no report has is
    /// an error.
    ///
    /// - Parameter read: Reads the value.
    /// - Returns: The value, and the parts of a report it uses: see ``Reporter/uses``.
    public func readForReports<Value>(
        _ read: () -> Value?
    ) -> (value: Value?, uses: ReportUses) {
        let usesBefore = templateUses.count
        let (value, uses) = recordingReportUses { within(.reporter, read) }
        reportFaults(of: templateUses[usesBefore...])
        return (value, uses)
    }

    private func reportFaults(of uses: ArraySlice<TemplateUse>) {
        for use in uses {
            if let fault = ReportTopic.fault(in: use.path) { error(fault, at: use.range) }
        }
    }
}
