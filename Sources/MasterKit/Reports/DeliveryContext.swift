import Synchronization

/// What a reporter can use while it sends a report.
public struct DeliveryContext: Sendable {
    /// The name of the delivery, the same on every try: `msg_<store>_<reporter>_<seq>_<part>`.
    public let id: String
    /// Which try this is, from 1.
    public let attempt: Int
    /// The logger of the delivery; messages are masked.
    public let logger: Logger
    /// Replaces secrets in everything that is shown or stored.
    public let mask: SecretMask
    private let secrets: SecretValues
    private let http: HTTPClient
    private let session: HTTPSession
    /// What was sent and answered so far in this try, for displays and the store.
    package let trace = DeliveryTrace()

    /// Makes a context.
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

    /// Computes the value of a setting; it may refer to secrets alone.
    public func render<Value>(_ setting: Renderable<Value>) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(secrets: secrets))
    }

    /// Computes the value of a setting that may have been left out.
    public func render<Value>(_ setting: Renderable<Value>?) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: RenderContext(secrets: secrets))
    }

    /// Computes the value of a setting for a report; it may refer to secrets and to what the reporter
    /// says in ``Reporter/uses``.
    public func render<Value>(
        _ setting: Renderable<Value>, for report: Report
    ) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(inputs: report.inputs, secrets: secrets))
    }

    /// The longest answer that is read, in bytes; the rest of a longer one is left.
    public static let answerLimit = 1 << 20

    /// Sends an HTTP request in the session of the reporter, and records the answer.
    ///
    /// A long answer is cut at ``answerLimit``; its status already tells whether the report arrived.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        var request = request
        request.responseLimit = Self.answerLimit
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
        trace.note(status: response.status, answer: mask.apply(to: response.text))
        return response
    }
}

/// Why a report was not delivered, and what happens to it next.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    /// What happens to the report next.
    public enum Verdict: Sendable, Hashable {
        /// It is tried again, not before this time has passed when one is given.
        case retry(after: Duration?)
        /// It is kept as a failed delivery.
        case reject
        /// The endpoint is closed: nothing more is sent to it.
        case endpointGone
    }

    /// What happens to the report next.
    public let verdict: Verdict
    /// What happened, in a sentence without secrets.
    public let reason: String
    /// The status of the answer, when there was one.
    public let status: Int?
    /// The beginning of the answer's text.
    public let answer: String?

    /// Makes an error.
    public init(_ verdict: Verdict, _ reason: String, status: Int? = nil, answer: String? = nil) {
        self.verdict = verdict
        self.reason = reason
        self.status = status
        self.answer = answer
    }

    /// The reason.
    public var description: String { reason }
}

/// What was sent and answered in one try of a delivery, masked.
public final class DeliveryTrace: Sendable {
    /// The longest part of an answer that is kept, in bytes.
    package static let answerLimit = 4096

    private struct State {
        var receiver: String?
        var fault: HTTPError?
        var status: Int?
        var answer: String?
    }

    private let state = Mutex(State())

    /// Makes an empty trace.
    package init() {}

    /// The address of the last request, without user and password.
    public var receiver: String? { state.withLock { $0.receiver } }

    /// Why there was no answer to the last request.
    public var fault: HTTPError? { state.withLock { $0.fault } }

    /// The status of the last answer.
    public var status: Int? { state.withLock { $0.status } }

    /// The beginning of the last answer's text.
    public var answer: String? { state.withLock { $0.answer } }

    /// Notes where a request goes.
    package func note(receiver: String) {
        state.withLock { $0.receiver = receiver }
    }

    /// Notes that there was no answer.
    package func note(fault: HTTPError) {
        state.withLock { $0.fault = fault }
    }

    /// Notes an answer.
    package func note(status: Int, answer: String) {
        let kept = answer.beginning(ofUTF8: Self.answerLimit)
        state.withLock {
            $0.status = status
            $0.answer = kept
        }
    }
}

extension String {
    /// As many whole characters of Unicode as there are in a number of bytes.
    package func beginning(ofUTF8 count: Int) -> String {
        guard var end = utf8.index(startIndex, offsetBy: count, limitedBy: endIndex) else {
            return self
        }
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}

/// The setting `inFlight`: how many reports of one reporter are on their way at once.
package struct InFlightLimit: SettingValue, Hashable {
    /// The number.
    package let count: Int

    private static let allowed = 1...64

    /// The number when the file says nothing.
    package init() {
        count = 8
    }

    private init(_ count: Int) {
        self.count = count
    }

    /// A number.
    package static var shape: String {
        "a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    /// Reads a number.
    package static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> InFlightLimit? {
        guard case .int(let count) = node.resolved, allowed.contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return InFlightLimit(count)
    }
}

/// What settings of a reporter use of what is reported, for those that are computed for each report.
public struct ReportUses: Sendable, Hashable {
    /// Properties by name.
    public var properties: Set<String> = []
    /// Variables of templates, as `build.number`, by the names on the way to them.
    public var variables: Set<[String]> = []
    /// Whether attributes of the sources are used.
    public var usesSources = false
    /// What must be fetched of a build for them.
    public var details = BuildDetails(properties: false)

    /// Uses nothing.
    public init() {}

    /// Whether nothing of what is reported is used, so that all reports have the same values.
    public var isEmpty: Bool { properties.isEmpty && variables.isEmpty && !usesSources }

    /// The names of all that is used.
    fileprivate var names: Set<String> {
        var names = properties.union(variables.map { "{{ \($0.joined(separator: ".")) }}" })
        if usesSources { names.insert("%(src)") }
        return names
    }

    /// What is used by either.
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
    /// The values that settings use, as they are kept with the report.
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

    /// Copies the value at a path; a list, or what is not there, is copied as a whole or as null.
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
    /// Whether the report was made with all that settings use; not when these were changed since.
    public func keeps(_ uses: ReportUses) -> Bool {
        let kept = inputs["uses"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return uses.names.isSubset(of: kept)
    }
}

extension RenderContext {
    /// What the settings of a reporter are computed from for a report.
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
    /// Reads sources in the data API's form.
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
