import MasterKit

/// What became of one try of a delivery.
enum DeliveryOutcome: Sendable, Equatable {
    /// The receiver has it.
    case delivered
    /// It is tried again after a time.
    case again(after: Duration, reason: String)
    /// It is not tried again.
    case dead(reason: String)
    /// The endpoint is gone; nothing more is sent to it.
    case closed(reason: String)

    /// What a reporter's error means after so many tries.
    init(_ error: any Error, attempt: Int, schedule: RetrySchedule) {
        guard let error = error as? DeliveryError else {
            self = .again(after: schedule.delay(afterAttempt: attempt), reason: "\(error)")
            return
        }
        switch error.verdict {
        case .reject: self = .dead(reason: error.reason)
        case .endpointGone: self = .closed(reason: error.reason)
        case .retry(let asked):
            let delay = schedule.delay(afterAttempt: attempt, askedFor: asked)
            self = .again(after: delay, reason: error.reason)
        }
    }

    /// Why the report was not delivered.
    var reason: String? {
        switch self {
        case .delivered: nil
        case .again(_, let reason), .dead(let reason), .closed(let reason): reason
        }
    }

    /// The outcome with its reason masked.
    func masked(by mask: SecretMask) -> DeliveryOutcome {
        switch self {
        case .delivered: self
        case .again(let delay, let reason): .again(after: delay, reason: mask.apply(to: reason))
        case .dead(let reason): .dead(reason: mask.apply(to: reason))
        case .closed(let reason): .closed(reason: mask.apply(to: reason))
        }
    }
}
