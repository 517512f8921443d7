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
    /// What was in the way when it was tried last.
    var hindrance: Hindrance?
    /// The report, when it is held in memory.
    var report: Report?
    /// How much of the memory for reports it takes.
    var byteCount = 0
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
