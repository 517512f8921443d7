import FoundationEssentials
import GRDB
import MasterKit
import Synchronization

/// Detects events whose reports crash the program.
struct CrashGuard: Sendable {
    /// The newest event from before the crash; `nil` if the program has not crashed.
    var newestEvent: Int?
    /// The event that was being handled alone during the crash, if any.
    var suspicion: CrashSuspect?

    /// How many consecutive crashes while handling an event alone are needed to give it up.
    ///
    /// A kill from outside looks like a crash. To be mistaken for a fault of the event, it would
    /// have to hit the few milliseconds of the same event in three consecutive runs.
    static let crashLimit = 3

    /// Whether an event is to be given up.
    func rejects(_ sequence: Int) -> Bool {
        suspicion.map { $0.eventSequence == sequence && $0.crashes >= Self.crashLimit } ?? false
    }
}

/// Crash counting.
extension StoreTransaction {
    /// Records, before an event is processed, that it may crash the program.
    func suspect(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET crashes = iif(suspect_seq = ?1, crashes + 1, 1), suspect_seq = ?1
            WHERE id = ?2
            """,
            [sequence, reporterID]
        )
    }

    /// Records that an event did not crash the program, although no report was generated for it.
    func clearSuspicion(_ sequence: Int, of reporterID: Int) throws {
        try database.run(
            """
            UPDATE reporter SET suspect_seq = NULL, crashes = 0 WHERE id = ? AND suspect_seq = ?
            """,
            [reporterID, sequence]
        )
    }
}

/// An event that was being handled alone when the program crashed.
struct CrashSuspect: Sendable {
    /// The event.
    let eventSequence: Int
    /// The number of crashes.
    let crashes: Int
}
