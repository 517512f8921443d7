import FoundationEssentials
public import MasterKit

/// Posts builds as JSON to an address, by default when they start and when they end.
public struct HttpStatusPush: Reporter, SettingHints {
    /// What the reporter does.
    public static let summary = "Posts builds as JSON to an address when they start and end."

    @Setting("The address that gets the reports.", .primary)
    var serverUrl: Renderable<HTTPAddress>

    @Setting("Credentials for the request.", .secret)
    var auth: Renderable<KnownAuth?>

    @Setting("Headers of each request; null removes one that is sent by default.")
    var headers: Renderable<HeaderFields?>

    @Setting("How long to wait to connect and for an answer; by default 10 s and 30 s in all.")
    var timeout: Renderable<TimeLimits?>

    @Setting("Whether, or against which authorities, the receiver's certificate is checked.")
    var verify: Renderable<CertificateCheck?>

    @Setting("The client certificate.")
    var cert: Renderable<ClientCertificate?>

    @Setting("Keys that sign each request as Standard Webhooks says.", .secret)
    var signing: Renderable<WebhookSigning?>

    @Setting("Log each request and its answer.")
    var debug = false

    @Setting("Has no effect: the body is always UTF-8.", .alias("skip_encoding"))
    var skipEncoding = false

    @Setting("The body of the reports, in place of the build's record; its texts are templates.")
    var format: ReportFormat?

    @SettingGroup var details: WantedDetails

    /// Makes a reporter to be configured.
    public init() {}

    /// One report when a build starts and one when it ends, whatever the result.
    public var defaultGenerators: [any ReportGenerator] { [BuildStartEndStatusGenerator()] }

    /// Makes the body that `format` describes, or else the record of the build.
    public var defaultFormatter: any MessageFormatter {
        guard let format else { return RecordFormatter(wanted: details.details) }
        return BodyFormatter(format, wanted: details.details)
    }

    /// Only bodies are posted.
    public var usesRecords: Bool { false }

    /// Notes a setting that has no effect.
    public func check(_ settings: SettingsCheck) {
        for name in ["skipEncoding", "skip_encoding"] where settings.isGiven(name) {
            settings.warning(
                "'\(name)' has no effect: the body is always UTF-8; remove it",
                at: name)
        }
    }

    /// What to do instead of a setting that Buildbot has had.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "format_fn": "it takes code; describe the body with 'format' instead"
        case "user", "password": "write 'auth: [user, password]'"
        case "builders", "tags", "mode":
            "write 'generators: [generators.BuildStatusGenerator: {\(name): …}]'"
        default: WantedDetails.hint(forUnknown: name)
        }
    }
}

extension HttpStatusPush {
    /// Posts a report.
    ///
    /// - Throws: ``DeliveryError`` unless the receiver answers with a status of the 200s.
    public func send(_ report: Report, in context: DeliveryContext) async throws {
        let request = try request(for: report, in: context)
        let started = ContinuousClock.now
        let response: HTTPResponse
        do {
            response = try await context.send(request)
        } catch {
            try Task.checkCancellation()
            let reason = context.mask.apply(to: error.message)
            log(started, context) {
                Transcript(of: request, failing: error.message, hiding: context.mask)
            }
            throw DeliveryError(.retry(after: nil), reason)
        }
        log(started, context) {
            Transcript(of: request, answered: response, hiding: context.mask)
        }
        if let error = DeliveryError(response, now: Date(), mask: context.mask) { throw error }
    }

    /// The address that the settings come to at present.
    public func receiver(in context: DeliveryContext) throws -> String? {
        try context.render(serverUrl).text
    }

    private func request(for report: Report, in context: DeliveryContext) throws -> HTTPRequest {
        var request = HTTPRequest(.post, try context.render(serverUrl).text)
        request.recordsRequestHeaders = debug
        let content = report.content
        if let type = content.type {
            request.body = .bytes(content.bytes, contentType: type)
        }
        if let fields = try context.render(headers) {
            request.headers = fields.headers
            request.suppressedHeaders = fields.removed
        }
        for (name, value) in try webhookHeaders(of: content.bytes, in: context) {
            request.headers.set(name, value)
        }
        request.authentication = try context.render(auth)?.authentication
        request.tls = HTTPTLS(try context.render(verify), try context.render(cert))
        request.timeout = HTTPTimeout(reporting: try context.render(timeout))
        request.redirects = .none
        return request
    }

    /// What tells a receiver which delivery this is and who sends it, as Standard Webhooks says.
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

    private func log(
        _ start: ContinuousClock.Instant, _ context: DeliveryContext,
        _ transcript: () -> Transcript
    ) {
        guard debug else { return }
        context.logger.info("\(transcript().text(elapsed: .now - start))")
    }
}

extension HTTPTimeout {
    /// The limits of a reporter, which has a limit for the whole as well.
    fileprivate init(reporting limits: TimeLimits?) {
        let connect = limits?.connect ?? .seconds(10)
        let read = limits?.read ?? .seconds(30)
        self.init(
            connect: connect, silence: read,
            total: limits == nil ? .seconds(30) : connect + read)
    }
}

extension Report {
    /// The bytes of the body, and what they are; an empty body is nothing.
    fileprivate var content: (bytes: [UInt8], type: String?) {
        switch body {
        case .json(let value): (JSONWriter.compact.bytes(value), "application/json")
        case .text(let text, let contentType): (Array(text.utf8), contentType)
        case .empty: ([], nil)
        }
    }
}

extension DeliveryError {
    /// The longest part of an answer that is put into a reason, in characters.
    private static let quotedLength = 300

    /// What an answer means for a report; `nil` when it was delivered.
    init?(_ response: HTTPResponse, now: Date, mask: SecretMask) {
        guard !response.isSuccess else { return nil }
        self.init(
            Self.verdict(response, now: now), mask.apply(to: Self.reason(response, mask)),
            status: response.status, answer: mask.apply(to: response.text))
    }

    private static func verdict(_ response: HTTPResponse, now: Date) -> Verdict {
        switch response.status {
        case 400, 405, 413, 415, 422: .reject
        case 410: .endpointGone
        default:
            .retry(
                after: response.headers["Retry-After"].flatMap {
                    RetryAfter.duration($0, now: now)
                })
        }
    }

    private static func reason(_ response: HTTPResponse, _ mask: SecretMask) -> String {
        let status = "\(response.status) \(response.reason)"
        let words = mask.apply(to: response.text).split(whereSeparator: \.isWhitespace)
        let text = words.joined(separator: " ")
        let shown = text.count > quotedLength ? "\(text.prefix(quotedLength)) …" : text
        let said = shown.isEmpty ? "" : ": \(shown)"
        return "the receiver answered \(status.trimmingSuffix())\(said)\(remedy(response))"
    }

    private static func remedy(_ response: HTTPResponse) -> String {
        switch response.status {
        case 300..<400:
            let target = response.headers["Location"].map { " to \(HTTPAddress.withoutUser($0))" }
            return "; a redirect\(target ?? "") is not a delivery, correct 'serverUrl'"
        case 401, 403, 407: return "; check 'auth' and 'headers'"
        case 404: return "; check 'serverUrl'"
        default: return ""
        }
    }
}

extension String {
    /// The text without spaces at its end.
    fileprivate func trimmingSuffix() -> Substring {
        self[..<(lastIndex { $0 != " " }.map(index(after:)) ?? startIndex)]
    }
}
