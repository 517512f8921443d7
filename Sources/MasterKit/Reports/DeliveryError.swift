public import FoundationEssentials

/// The reason why a report was not delivered, and what happens to it next.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    /// What happens to the report next.
    public enum Verdict: Sendable, Hashable {
        /// Retry the delivery, if given not before this time has passed.
        case retry(after: Duration?)
        /// Keep it as a failed delivery.
        case reject
        /// Stop sending to the endpoint: it is permanently gone.
        case endpointGone
        /// The report needs no delivery: the reporter does not send this one.
        case nothingToSend
    }

    /// What happens to the report next.
    public let verdict: Verdict
    /// One sentence describing what happened, without secrets.
    public let reason: String
    /// The status of the response, if any.
    public let status: Int?
    /// The beginning of the response body.
    public let responseText: String?

    /// Creates an error.
    public init(
        _ verdict: Verdict, _ reason: String, status: Int? = nil, responseText: String? = nil
    ) {
        self.verdict = verdict
        self.reason = reason
        self.status = status
        self.responseText = responseText
    }

    /// The reason.
    public var description: String { reason }
}

extension DeliveryError {
    /// The maximum number of characters of a response to quote in a reason.
    private static let quotedLength = 300

    /// Creates the error for a response, or returns `nil` if the report was delivered.
    ///
    /// ```swift
    /// let response = try await context.send(request)
    /// if let error = DeliveryError(answering: response, in: context) { throw error }
    /// ```
    ///
    /// A report is rejected for the statuses 400, 405, 413, 415 and 422, and the endpoint is gone
    /// for 410; for all others it is retried, after the time in `Retry-After` if there is one.
    ///
    /// - Parameters:
    ///   - response: The response.
    ///   - context: The context that sent the request, for its secrets.
    ///   - isSuccess: Whether the report was delivered; by default for a 2xx status.
    ///   - remedy: What to do about the status, such as `check 'url'`, if anything.
    ///   - now: The current time, for dates in `Retry-After`.
    public init?(
        answering response: HTTPResponse, in context: DeliveryContext, isSuccess: Bool? = nil,
        remedy: String? = nil, now: Date = .now
    ) {
        guard !(isSuccess ?? response.isSuccess) else { return nil }
        let text = context.mask.apply(to: response.text)
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let quote = words.count > Self.quotedLength ? "\(words.prefix(Self.quotedLength)) …" : words
        let status =
            response.reason.isEmpty
            ? "\(response.status)" : "\(response.status) \(response.reason)"
        let reason =
            "the receiver answered \(status)" + (quote.isEmpty ? "" : ": \(quote)")
            + (remedy.map { "; \($0)" } ?? "")
        self.init(
            Verdict(answering: response, now: now), context.mask.apply(to: reason),
            status: response.status, responseText: text)
    }
}

extension DeliveryError.Verdict {
    /// What a response that is not a success means for the report.
    fileprivate init(answering response: HTTPResponse, now: Date) {
        switch response.status {
        case 400, 405, 413, 415, 422: self = .reject
        case 410: self = .endpointGone
        default: self = .retry(after: response.retryAfter(now: now))
        }
    }
}
