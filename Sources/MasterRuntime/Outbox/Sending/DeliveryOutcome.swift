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

    /// What a try that failed means.
    init(_ failed: FailedTry, schedule: RetrySchedule) {
        let isNamed = schedule.policy.causes?.contains { failed.isCaused(by: $0) }
        switch failed.verdict {
        case .endpointGone:
            self = .closed(reason: failed.reason)
        case .reject where isNamed != true:
            self = .dead(reason: failed.reason)
        case .retry where isNamed == false:
            self = .dead(reason: "\(failed.reason); 'retry' does not name this")
        case .reject:
            self.init(failed, schedule, askedFor: nil)
        case .retry(let asked):
            self.init(failed, schedule, askedFor: asked)
        }
    }

    private init(_ failed: FailedTry, _ schedule: RetrySchedule, askedFor asked: Duration?) {
        let delay = schedule.delay(
            afterAttempt: failed.number,
            age: failed.age,
            askedFor: asked
        )
        if let delay {
            self = .again(after: delay, reason: failed.reason)
        } else {
            let tries = failed.number == 1 ? "1 try" : "\(failed.number) tries"
            self = .dead(reason: "given up after \(tries): \(failed.reason)")
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
