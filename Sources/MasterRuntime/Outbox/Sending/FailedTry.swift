import MasterHTTP
import MasterKit

/// A try that did not deliver its report.
struct FailedTry: Sendable {
    /// What the reporter threw.
    let error: any Error
    /// The status of the answer, when there was one.
    var status: Int?
    /// Why there was no answer.
    var fault: HTTPError?
    /// Which try it was, counted from where the schedule began.
    var number = 1
    /// How long ago the schedule began.
    var age: Duration = .zero

    /// What is to become of the report as far as the reporter knows.
    var verdict: DeliveryError.Verdict {
        (error as? DeliveryError)?.verdict ?? .retry(after: nil)
    }

    /// What happened, in a sentence.
    var reason: String {
        (error as? DeliveryError)?.reason ?? "\(error)"
    }

    /// What kept the report from being delivered.
    var hindrance: Hindrance {
        guard let status else { return .absence }
        if case .retry(.some) = verdict { return .busyness }
        return switch status {
        case 502, 503, 504: .absence
        case 408, 425, 429, 500...599: .busyness
        default: .refusal
        }
    }

    /// Whether a cause that a file names is this one.
    func isCaused(by cause: RetryCause) -> Bool {
        switch cause {
        case .failure: error is DeliveryError && verdict != .reject
        case .exception: !(error is DeliveryError)
        case .refused: fault.map { Self.missingConnections.contains($0.code) } ?? false
        case .timeout: fault.map { Self.timeouts.contains($0.code) } ?? false
        case .closed: fault.map { Self.lostConnections.contains($0.code) } ?? false
        case .status(let range): status.map(range.contains) ?? false
        }
    }

    private static let missingConnections: Set<HTTPError.Code> = [
        .nameNotFound, .refused, .unreachable, .proxy,
    ]
    private static let timeouts: Set<HTTPError.Code> = [
        .connectTimeout, .silenceTimeout, .totalTimeout,
    ]
    private static let lostConnections: Set<HTTPError.Code> = [
        .closedEarly, .malformedResponse, .transferFailed,
    ]
}
