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
    /// The last request of this attempt and what became of it, for displays and the store.
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
    /// that a receiver can recognize a report that it gets twice. A response longer than
    /// ``responseLimit`` is truncated; its status is enough to know whether the report was accepted.
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

/// The last request of a delivery attempt and what became of it, masked.
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

    /// The status of its response, if it got one.
    public var status: Int? { state.withLock { $0.status } }

    /// The beginning of the response's body.
    public var responseText: String? { state.withLock { $0.responseText } }

    /// Begins with a request to a URL; nothing is kept of the one before.
    package func note(receiver: String) {
        state.withLock { $0 = State(receiver: receiver) }
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
