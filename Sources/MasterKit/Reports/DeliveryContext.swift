/// What a reporter sees while it sends a report.
public struct DeliveryContext: Sendable {
    /// The name of the delivery, the same on every try: `msg_<store>_<reporter>_<seq>_<part>`.
    public let id: String
    /// Which try this is, from 1.
    public let attempt: Int
    /// Where notes about the delivery go; what is logged is masked.
    public let logger: Logger
    /// What replaces secrets in everything that is shown or stored.
    public let mask: SecretMask
    private let secrets: SecretValues
    private let http: HTTPClient
    private let session: HTTPSession
    /// What was sent and answered so far in this try, for displays and the store.
    public let trace = DeliveryTrace()

    /// Makes a context.
    public init(
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

    /// The longest answer that is read, in bytes; the rest of a longer one is left.
    public static let answerLimit = 1 << 20

    /// Sends an HTTP request in the session of the reporter and keeps a trace of the answer.
    ///
    /// A long answer is cut at ``answerLimit``: its status has told that the report arrived.
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
