import MasterKit
import Synchronization

/// What somebody else changes while the outbox runs: by a command, or to keep within the bounds.
extension Sending {
    /// Rows whose change could not be taken over yet, as they were on their way.
    var changedUnderWay: Set<Int> { state.withLock(\.changedUnderWay) }

    /// Takes over how changed rows stand, and whether the endpoint is closed.
    func take(_ changes: DeliveryChanges) {
        let now = environment.clock.elapsed
        let open = changes.open.map { letter in
            var letter = letter
            letter.due = now
            return letter
        }
        state.withLock { state in
            state.changedUnderWay = state.letters.take(open: open, closed: changes.closed)
            state.heldBytes = state.letters.byteCount
            state.isClosed = changes.isReporterClosed
            state.lastReason = nil
        }
        wake.raise()
        environment.changed.raise()
    }
}
