import Synchronization

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

    /// Computes the value of a setting for a report; it may refer to secrets and to what the reporter
    /// says in ``Reporter/uses``.
    public func render<Value>(
        _ setting: Renderable<Value>, for report: Report
    ) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(inputs: report.inputs, secrets: secrets))
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

/// Why a report was not delivered, and what is to become of it.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    /// What is to become of the report.
    public enum Verdict: Sendable, Hashable {
        /// It is tried again, not before this time has passed when one is given.
        case retry(after: Duration?)
        /// It is kept as a failed delivery.
        case reject
        /// The endpoint is closed: nothing more is sent to it.
        case endpointGone
    }

    /// What is to become of the report.
    public let verdict: Verdict
    /// What happened, in a sentence without secrets.
    public let reason: String
    /// The HTTP status of the response, if there was one.
    public let status: Int?
    /// The beginning of the response body.
    public let answer: String?

    /// Creates an error.
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
    public static let answerLimit = 4096

    private struct State {
        var receiver: String?
        var fault: HTTPError?
        var status: Int?
        var answer: String?
    }

    private let state = Mutex(State())

    /// Makes an empty trace.
    public init() {}

    /// The address that was asked, without user and password.
    public var receiver: String? { state.withLock { $0.receiver } }

    /// Why there was no answer to the last request.
    public var fault: HTTPError? { state.withLock { $0.fault } }

    /// The HTTP status of the last response.
    public var status: Int? { state.withLock { $0.status } }

    /// The beginning of the last answer's text.
    public var answer: String? { state.withLock { $0.answer } }

    /// Notes where a request goes.
    public func note(receiver: String) {
        state.withLock { $0.receiver = receiver }
    }

    /// Notes that there was no answer.
    public func note(fault: HTTPError) {
        state.withLock { $0.fault = fault }
    }

    /// Notes an answer.
    public func note(status: Int, answer: String) {
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
public struct InFlightLimit: SettingValue, Hashable {
    /// The number.
    public let count: Int

    private static let allowed = 1...64

    /// The number when the file says nothing.
    public init() {
        count = 8
    }

    private init(_ count: Int) {
        self.count = count
    }

    /// A number.
    public static var shape: String {
        "a number from \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    /// Reads a number.
    public static func decode(_ node: YAMLNode, with decoder: SettingDecoder) -> InFlightLimit? {
        guard case .int(let count) = node.resolved, allowed.contains(count) else {
            return decoder.mismatch(node, expected: shape)
        }
        return InFlightLimit(count)
    }
}
