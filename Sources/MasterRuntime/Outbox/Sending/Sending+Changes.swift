import MasterKit
import Synchronization

/// What somebody else changes while the outbox runs: by a command, or to keep within the bounds.
extension Sending {
    /// Rows whose change could not be taken over yet, as they were on their way.
    var changedUnderWay: Set<Int> { state.withLock(\.changedUnderWay) }

    /// Whether the store may say something else, though nothing has changed since the last look.
    ///
    /// An endpoint may be resumed between the commit that closes it and the moment in which that
    /// is known here.
    var isToBeLookedAt: Bool {
        state.withLock { !$0.changedUnderWay.isEmpty || $0.isClosed }
    }

    /// Takes over how changed rows stand, and whether the endpoint is closed.
    func take(_ changes: DeliveryChanges) {
        let open = changes.open.map { $0.due(on: environment.clock) }
        let isNews = state.withLock { state in
            let isNews = state.isClosed != changes.isReporterClosed || !changes.isEmpty
            state.changedUnderWay = state.letters.take(open: open, closed: changes.closed)
            state.isClosed = changes.isReporterClosed
            if isNews { state.lastReason = nil }
            return isNews
        }
        guard isNews else { return }
        wake.raise()
        took.raise()
        environment.changed.raise()
    }
}
