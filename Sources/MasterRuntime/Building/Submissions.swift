internal import Synchronization

/// The buildsets that were submitted and not yet waited for.
final class Submissions: Sendable {
    private let state = Mutex<[Int: BuildsetProgress]>([:])

    func add(_ progress: BuildsetProgress, for buildset: Int) {
        state.withLock { $0[buildset] = progress }
    }

    func progress(of buildset: Int) -> BuildsetProgress? {
        state.withLock { $0[buildset] }
    }

    /// The first buildset that nobody has waited for.
    var first: (buildset: Int, progress: BuildsetProgress)? {
        state.withLock { $0.min { $0.key < $1.key } }.map { ($0.key, $0.value) }
    }

    func remove(_ buildset: Int) {
        state.withLock { $0[buildset] = nil }
    }
}
