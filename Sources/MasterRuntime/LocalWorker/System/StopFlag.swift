import Synchronization

/// Tells work on another thread that nobody wants it any longer.
final class StopFlag: Sendable {
    private let isSet = Atomic(false)

    /// Asks the work to stop.
    func set() {
        isSet.store(true, ordering: .releasing)
    }

    /// Throws `CancellationError` if the work is to stop.
    func check() throws {
        if isSet.load(ordering: .acquiring) { throw CancellationError() }
    }
}
