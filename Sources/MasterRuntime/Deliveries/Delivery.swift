import FoundationEssentials
import MasterKit

/// An open delivery: a report that is to be sent.
struct Delivery: Sendable {
    /// The id of the row.
    let id: Int
    /// The event that is reported.
    let eventSequence: Int
    /// The index of the reporter's generator that made it.
    let part: Int
    /// Deliveries of one lane arrive in order.
    let lane: Int
    /// The number of attempts so far.
    var attempts: Int
    /// The number of attempts before its retry schedule was restarted.
    var triesBefore = 0
    /// When its retry schedule began.
    var since = Date.distantPast
    /// When it is due, on the deliveries' clock.
    var due: Duration
    /// The time before which the receiver has asked not to be contacted.
    var notBefore: Date?
    /// Why the last attempt in this run failed.
    var failureKind: FailureKind?
    /// Scheme, host and port of the receiver, if they depend on the report.
    var origin = ""
    /// The size of the stored report, which is only read when it is sent.
    let byteCount: Int
}

extension Delivery {
    /// The delivery with its due time set to now, or to the time that the receiver asked for.
    func due(on clock: DeliveryClock) -> Delivery {
        var delivery = self
        let wait = notBefore.map { Duration.seconds($0.timeIntervalSince(clock.now)) } ?? .zero
        // If the system clock was set back, that must not delay a report for long.
        let bounded = min(max(wait, .zero), RetrySchedule.longestAskedFor)
        delivery.due = clock.elapsed + bounded
        return delivery
    }
}

/// Why a report was not delivered, as far as it matters for retries.
enum FailureKind: Sendable, Hashable {
    /// The receiver was unreachable; the report is sent as soon as it is reachable.
    case absence
    /// The receiver was temporarily unable to accept the report.
    case busyness
    /// The receiver rejects the report at present.
    case refusal
}

/// The id of a delivery for its receiver, the same for every attempt.
struct DeliveryID: Sendable, CustomStringConvertible {
    /// The identifier of the store.
    let store: String
    /// The id of the reporter's row.
    let reporter: Int
    /// The event that is reported.
    let event: Int
    /// The index of the reporter's generator that made it.
    let part: Int

    /// The id as it is sent.
    var description: String { "msg_\(store)_\(reporter)_\(event)_\(part)" }
}

/// The state of a delivery, as stored in its row.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// It is still to be sent.
    case open
    /// It was delivered.
    case delivered
    /// It was given up.
    case dead
    /// Its reporter is currently not configured.
    case parked
    /// No generator made a report for the event.
    case nothing
}

/// One attempt of a delivery as it is stored, with secrets masked.
struct DeliveryAttempt: Sendable {
    /// The maximum length of a stored error, in bytes.
    static let errorLimit = 4096

    /// The number of the attempt, from 1.
    let number: Int
    /// When it began.
    let at: Date
    /// How long it took.
    let duration: Duration
    /// The HTTP status of the response, if there was one.
    var status: Int?
    /// Why the report was not delivered.
    var error: Masked<String>?
    /// The beginning of the response body.
    var answer: Masked<String>?
}

/// A report that cannot be sent, detected before any request.
struct DeliveryFault: Error, CustomStringConvertible {
    /// The reason.
    let description: String

    /// Creates a fault with a reason.
    init(_ reason: String) {
        description = reason
    }
}
