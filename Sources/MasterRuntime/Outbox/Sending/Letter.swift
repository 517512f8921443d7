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
    /// When it may be tried, on the clock of the outbox.
    var due: Duration
    /// The report, when it is held in memory.
    var report: Report?
    /// How much of the memory for reports it takes.
    var byteCount = 0
}
