/// Why a report was not delivered, and what is to become of it.
public struct DeliveryError: Error, Sendable, CustomStringConvertible {
    /// What is to become of the report.
    public enum Verdict: Sendable, Hashable {
        /// It is tried again, not before this time has passed when one is given.
        case retry(after: Duration?)
        /// It is kept as a dead letter.
        case reject
        /// The endpoint is closed: nothing more is sent to it.
        case endpointGone
    }

    /// What is to become of the report.
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
