import MasterKit
import Synchronization

/// Counts what becomes of reports in this run, also of those whose rows are removed meanwhile.
final class DeliveryTally: Sendable {
    private struct Counts {
        var delivered = 0
        var dead = 0
        var untold = 0
    }

    private let counts = Mutex(Counts())

    /// How many reports have arrived.
    var delivered: Int { counts.withLock(\.delivered) }
    /// How many were given up.
    var dead: Int { counts.withLock(\.dead) }
    /// How many were removed before anybody was told that they were given up.
    var untold: Int { counts.withLock(\.untold) }

    /// Counts a try.
    func note(_ outcome: DeliveryOutcome) {
        counts.withLock { counts in
            switch outcome {
            case .delivered: counts.delivered += 1
            case .dead: counts.dead += 1
            case .again, .closed: break
            }
        }
    }

    /// Counts reports that were given up without a try, or removed untold.
    func note(dead count: Int, untold: Int = 0) {
        counts.withLock { counts in
            counts.dead += count
            counts.untold += untold
        }
    }
}
