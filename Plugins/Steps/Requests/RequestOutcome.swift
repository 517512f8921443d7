import MasterKit

/// What one try of a request came to.
enum RequestOutcome {
    /// An answer, with what `extract` took from it; `nil` when it is no success.
    case answer(HTTPResponse, Extraction.Findings?)
    /// No answer.
    case fault(HTTPError)

    /// Whether the step ends well with it.
    var isSuccess: Bool {
        guard case .answer(_, let findings?) = self else { return false }
        return findings.missing.isEmpty
    }
}
