import FoundationEssentials
public import MasterKit

/// Posts builds as JSON to a URL, by default when they start and when they end.
public struct HttpStatusPush: Reporter, SettingHints {
    /// What the reporter does.
    public static let summary = "Posts builds as JSON to an address when they start and end."

    @Setting("The address that gets the reports.", .primary)
    var serverUrl: ReportedSetting<HTTPAddress>

    @Setting("The method of the requests: POST, PUT or PATCH.")
    var method = ReportedSetting(ReportMethod.post)

    @Setting("Credentials for the request.", .secret)
    var auth: Renderable<KnownAuth?>

    @Setting("Headers of each request; null removes one that is sent by default.")
    var headers: ReportedSetting<HeaderFields?>

    @SettingGroup var connection: ReporterConnection

    @Setting("Keys that sign each request as Standard Webhooks says.", .secret)
    var signing: Renderable<WebhookSigning?>

    @Setting("Has no effect: the body is always UTF-8.", .alias("skip_encoding"))
    var skipEncoding = false

    @Setting("The body of the reports, in place of the build's record; its texts are templates.")
    var format: ReportFormat?

    @Setting("How 'format' is sent: as JSON, or as the fields of a form.")
    var encoding = BodyEncoding.json

    @Setting("Which answers are a success; by default those with a status of the 200s.")
    var success: SuccessRule?

    @SettingGroup var details: WantedDetails

    /// Creates an unconfigured reporter.
    public init() {}

    /// Formats the body described by `format`, or else the record of the build.
    public var defaultFormatter: any MessageFormatter {
        guard let format else { return RecordFormatter(wanted: details.details) }
        return BodyFormatter(format, wanted: details.details)
    }

    /// The parts of a report used by URL, method and headers.
    public var uses: ReportUses { serverUrl.uses.union(method.uses).union(headers.uses) }

    /// Only bodies are used.
    public var usesRecords: Bool { false }

    /// Reports settings without effect, and forms without fields.
    public func check(_ settings: SettingsCheck) {
        if encoding == .form, format?.isMapping != true {
            settings.error(
                "'encoding: form' needs 'format', a mapping of the fields to their values",
                at: "encoding")
        }
        let names = ["skipEncoding", "skip_encoding"]
        if let name = names.first(where: settings.isGiven) {
            settings.warning(
                "'\(name)' has no effect: the body is always UTF-8; remove it",
                at: name)
        }
    }

    /// A hint for settings from earlier versions of Buildbot.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "format_fn": "it takes code; describe the body with 'format' instead"
        case "body", "data", "json", "payload", "content": "write 'format'"
        case "proxy", "proxies":
            "reporters use the proxy of the environment variables http_proxy and https_proxy"
        case "builders", "tags", "mode":
            "write 'generators: [generators.BuildStatusGenerator: {\(name): …}]'"
        default: RequestHints.hint(forUnknown: name)
        }
    }
}

extension HttpStatusPush {
    /// Posts a report.
    ///
    /// - Throws: ``DeliveryError`` unless the receiver responds with success.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let response = try await connection.send(
            try request(for: report, in: context), in: context)
        let error = DeliveryError(
            response, success, closesEndpoint: serverUrl.uses.isEmpty, in: context)
        if let error { throw error }
    }

    /// The current URL, or `nil` if it depends on the report.
    public func receiver(in context: DeliveryContext) throws -> String? {
        guard serverUrl.uses.isEmpty else { return nil }
        return try context.render(serverUrl.value).text
    }

    /// The destination of a report if its URL depends on the report.
    ///
    /// - Throws: An error if the URL, method or headers cannot be rendered for the report.
    public func origin(of report: Report, in context: DeliveryContext) throws -> String? {
        guard !uses.isEmpty else { return nil }
        _ = try context.render(method.value, for: report)
        _ = try context.render(headers.value, for: report)
        let address = try context.render(serverUrl.value, for: report)
        return serverUrl.uses.isEmpty ? nil : address.origin
    }

    private func request(for report: Report, in context: DeliveryContext) throws -> HTTPRequest {
        guard report.keeps(uses) else {
            throw DeliveryError(
                .reject,
                "'serverUrl', 'method' or 'headers' use something of the build that was not kept with "
                    + "this report; they were changed since it was made")
        }
        var request = HTTPRequest(
            try context.render(method.value, for: report).method,
            try context.render(serverUrl.value, for: report))
        let content = try report.body.content(as: encoding)
        if let type = content.type {
            request.body = .bytes(content.bytes, contentType: type)
        }
        if let fields = try context.render(headers.value, for: report) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
        }
        for (name, value) in try webhookHeaders(of: content.bytes, in: context) {
            request.headers.set(name, value)
        }
        request.authentication = try context.render(auth)?.authentication
        return request
    }

    /// The headers that identify the delivery and its sender, according to Standard Webhooks.
    private func webhookHeaders(
        of body: [UInt8], in context: DeliveryContext
    ) throws -> [(String, String)] {
        let timestamp = Int(Date().timeIntervalSince1970)
        var headers = [("webhook-id", context.id), ("webhook-timestamp", "\(timestamp)")]
        if let signing = try context.render(signing) {
            let signatures = try signing.signatures(
                id: context.id, timestamp: timestamp, body: body)
            headers.append(("webhook-signature", signatures))
        }
        return headers
    }
}

extension DeliveryError {
    /// Creates an error from a response, or returns `nil` if the report was delivered.
    ///
    /// - Parameters:
    ///   - response: The response.
    ///   - success: Which responses are a success; by default those with a 2xx status.
    ///   - closesEndpoint: Whether a response can close the endpoint for all reports.
    ///   - context: The context that sent the request.
    init?(
        _ response: HTTPResponse, _ success: SuccessRule?, closesEndpoint: Bool,
        in context: DeliveryContext
    ) {
        let isGood = success?.statuses?.contains(response.status) ?? response.isSuccess
        let refusal = DeliveryError(
            answering: response, in: context, isSuccess: isGood, remedy: Self.remedy(response))
        if let refusal {
            self.init(
                refusal.verdict == .endpointGone && !closesEndpoint ? .reject : refusal.verdict,
                refusal.reason, status: refusal.status, responseText: refusal.responseText)
            return
        }
        guard let fault = success?.fault(inBody: response.final.body, showsTexts: true)
        else { return nil }
        let mask = context.mask
        let reason = "the receiver answered \(response.status), but \(fault); check 'success'"
        self.init(
            .retry(after: nil), mask.apply(to: reason), status: response.status,
            responseText: mask.apply(to: response.text))
    }

    private static func remedy(_ response: HTTPResponse) -> String? {
        switch response.status {
        case 300..<400:
            let target = response.headers["Location"].map { " to \(HTTPAddress.withoutUser($0))" }
            return "a redirect\(target ?? "") is not a delivery, correct 'serverUrl'"
        case 401, 403, 407: return "check 'auth' and 'headers'"
        case 404: return "check 'serverUrl'"
        default: return nil
        }
    }
}

/// The settings with which a reporter reaches its receiver, and the way it sends a request there.
struct ReporterConnection: Settings {
    @Setting("How long to wait to connect and for an answer; by default 10 s and 30 s in all.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether, or against which authorities, the receiver's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The client certificate.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Log each request and its answer.")
    var debug = false

    /// Sends a request with these settings; a redirect is not followed.
    ///
    /// - Throws: ``DeliveryError`` if there is no response.
    func send(_ wanted: HTTPRequest, in context: DeliveryContext) async throws -> HTTPResponse {
        var request = wanted
        request.recordsRequestHeaders = debug
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        request.timeout = HTTPTimeout(reporting: try context.render(timeout))
        request.redirects = .none
        let started = ContinuousClock.now
        do {
            let response = try await context.send(request)
            log(started, context) {
                Transcript(of: request, answered: response, hiding: context.mask)
            }
            return response
        } catch {
            try Task.checkCancellation()
            let reason = context.mask.apply(to: error.message)
            log(started, context) {
                Transcript(of: request, failing: error.message, hiding: context.mask)
            }
            throw DeliveryError(.retry(after: nil), reason)
        }
    }

    private func log(
        _ start: ContinuousClock.Instant, _ context: DeliveryContext,
        _ transcript: () -> Transcript
    ) {
        guard debug else { return }
        context.logger.info("\(transcript().text(elapsed: .now - start))")
    }
}

extension HTTPTimeout {
    /// The timeouts of a reporter, including a total limit.
    fileprivate init(reporting limits: TimeLimits?) {
        let connect = limits?.connect ?? .seconds(10)
        let read = limits?.read ?? .seconds(30)
        self.init(
            connect: connect, silence: read,
            total: limits == nil ? .seconds(30) : connect + read)
    }
}

/// A setting of a reporter that may be rendered for each report, from the same variables as
/// `format` and from secrets.
struct ReportedSetting<Value: SettingValue>: SettingValue, RenderableValue {
    let value: Renderable<Value>
    /// The parts of a report that the value depends on; empty if it is the same for all reports.
    let uses: ReportUses

    init(_ value: Value) {
        self.value = Renderable(value)
        uses = ReportUses()
    }

    private init(_ value: Renderable<Value>, _ uses: ReportUses) {
        self.value = value
        self.uses = uses
    }

    static var shape: String { Value.shape }

    static var form: ValueForm { .computed(Value.form) }

    static var absent: ReportedSetting<Value>? { Value.absent.map { ReportedSetting($0) } }

    static func decode(
        _ node: YAMLNode, with decoder: SettingDecoder
    ) -> ReportedSetting<Value>? {
        var (value, uses) = decoder.readForReports {
            decoder.decode(Renderable<Value>.self, from: node)
        }
        if !uses.isEmpty {
            uses.details = BuildDetails(usedBy: [], uses.variables.sorted { $0.count < $1.count })
        }
        return value.map { ReportedSetting($0, uses) }
    }
}

/// The setting `method` of a reporter.
enum ReportMethod: String, SettingEnumeration {
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"

    var method: HTTPMethod { HTTPMethod(rawValue: rawValue) }
}

/// The setting `encoding` of a reporter: how the value of `format` is sent.
enum BodyEncoding: String, SettingEnumeration {
    case json
    case form
}

extension Report.Body {
    /// The bytes of the body and their content type; an empty body has no type.
    ///
    /// - Throws: ``DeliveryError`` if the body should be a form but is not a mapping.
    func content(as encoding: BodyEncoding) throws -> (bytes: [UInt8], type: String?) {
        switch (self, encoding) {
        case (.empty, _): return ([], nil)
        case (.json(let value), .json):
            return (JSONWriter.compact.bytes(value), "application/json")
        case (.json(.object(let object)), .form):
            let (bytes, type) = HTTPBody.encodedForm(object.fields)
            return (bytes, type)
        case (.json, .form):
            throw DeliveryError(
                .reject, "the body is not a mapping, which 'encoding: form' needs; correct 'format'"
            )
        case (.text(let text, let contentType), _): return (Array(text.utf8), contentType)
        }
    }
}

extension JSONObject {
    /// The fields of a form: a list repeats its name, null is omitted, and a mapping is sent as
    /// JSON.
    fileprivate var fields: [HTTPPair] {
        flatMap { name, value in
            (value.arrayValue ?? [value]).compactMap { item in
                item.isNull ? nil : HTTPPair(name, item.text ?? "")
            }
        }
    }
}
