import FoundationEssentials
import MasterKit

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
            return "; a redirect\(target ?? "") is no delivery, correct 'serverUrl'"
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
