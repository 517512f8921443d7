import FoundationEssentials
import MasterKit

/// A report on its way: the row of a delivery that is open.
struct Delivery: Sendable {
    /// The row.
    let id: Int
    /// The event that is reported.
    let eventSequence: Int
    /// Which of the reporter's generators made it.
    let part: Int
    /// Deliveries of one lane arrive in order.
    let lane: Int
    /// How often it was tried.
    var attempts: Int
    /// How many of these tries came before its schedule began anew.
    var triesBefore = 0
    /// When its schedule began.
    var since = Date.distantPast
    /// When it may be tried, on the clock of the deliveries.
    var due: Duration
    /// Until when its receiver has asked to be left alone.
    var notBefore: Date?
    /// What was in the way when it was tried last in this run.
    var failureKind: FailureKind?
    /// Scheme, host and port of where it goes, when that depends on the report.
    var origin = ""
    /// How large the stored report is; it is read when it is sent.
    let byteCount: Int
}

extension Delivery {
    /// The delivery as it is due now, or when its receiver has asked for it.
    func due(on clock: DeliveryClock) -> Delivery {
        var delivery = self
        let wait = notBefore.map { Duration.seconds($0.timeIntervalSince(clock.now)) } ?? .zero
        // A clock on the wall that was set back must not hold a report back for long.
        let bounded = min(max(wait, .zero), RetrySchedule.longestAskedFor)
        delivery.due = clock.elapsed + bounded
        return delivery
    }
}

/// What kept a report from being delivered, as far as waiting goes.
enum FailureKind: Sendable, Hashable {
    /// Nobody was there; whoever is, gets it at once.
    case absence
    /// The receiver could not take it just then.
    case busyness
    /// The receiver does not want it as things stand.
    case refusal
}

/// The name of a delivery for its receiver, the same on every try.
struct DeliveryID: Sendable, CustomStringConvertible {
    /// The name of the store.
    let store: String
    /// The row of the reporter.
    let reporter: Int
    /// The event that is reported.
    let event: Int
    /// Which of the reporter's generators made it.
    let part: Int

    /// The name as it is sent.
    var description: String { "msg_\(store)_\(reporter)_\(event)_\(part)" }
}

/// What has become of a delivery, as it stands in its row.
public enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    /// It is to be sent.
    case open
    /// The receiver has it.
    case delivered
    /// It is not sent any more.
    case dead
    /// Its reporter is not configured at present.
    case parked
    /// No generator made a report of the event.
    case nothing
}

/// One try of a delivery, as it is kept: masked.
struct DeliveryAttempt: Sendable {
    /// The longest part of a reason that is kept, in bytes.
    static let errorLimit = 4096

    /// Which try it was, from 1.
    let number: Int
    /// When it began.
    let at: Date
    /// How long it took.
    let duration: Duration
    /// The status of the answer, when there was one.
    var status: Int?
    /// Why the report was not delivered.
    var error: Masked<String>?
    /// The beginning of the answer's text.
    var answer: Masked<String>?
}

/// Why a report cannot be sent though nobody was asked yet.
struct DeliveryFault: Error, CustomStringConvertible {
    /// The reason, in a sentence.
    let description: String

    /// Makes a fault of its reason.
    init(_ reason: String) {
        description = reason
    }
}
