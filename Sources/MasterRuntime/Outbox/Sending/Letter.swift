import FoundationEssentials
import MasterKit

/// A report on its way: the row of a delivery that is open.
struct Letter: Sendable {
    /// The row.
    let id: Int
    /// The event that is reported.
    let eventSequence: Int
    /// Which of the reporter's generators made it.
    let part: Int
    /// Letters of one lane arrive in order.
    let lane: Int
    /// How often it was tried.
    var attempts: Int
    /// How many of these tries came before its schedule began anew.
    var triesBefore = 0
    /// When its schedule began.
    var since = Date.distantPast
    /// When it may be tried, on the clock of the outbox.
    var due: Duration
    /// Until when its receiver has asked to be left alone.
    var notBefore: Date?
    /// What was in the way when it was tried last in this run.
    var hindrance: Hindrance?
    /// How large the stored report is; it is read when it is sent.
    let byteCount: Int
}

extension Letter {
    /// The letter as it is due now, or when its receiver has asked for it.
    func due(on clock: OutboxClock) -> Letter {
        var letter = self
        let wait = notBefore.map { Duration.seconds($0.timeIntervalSince(clock.now)) } ?? .zero
        // A clock on the wall that was set back must not hold a report back for long.
        let bounded = min(max(wait, .zero), RetrySchedule.longestAskedFor)
        letter.due = clock.elapsed + bounded
        return letter
    }
}

/// What kept a report from being delivered, as far as waiting goes.
enum Hindrance: Sendable, Hashable {
    /// Nobody was there; whoever is, gets it at once.
    case absence
    /// The receiver could not take it just then.
    case busyness
    /// The receiver does not want it as things stand.
    case refusal
}
