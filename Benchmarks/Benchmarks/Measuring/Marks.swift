import Synchronization

/// The times recorded by steps.
final class Marks: Sendable {
    static let shared = Marks()

    private let moments = Mutex<[Int]>([])

    func add(_ moment: Int) {
        moments.withLock { $0.append(moment) }
    }

    /// The last time.
    var last: Int { moments.withLock { $0.last ?? 0 } }
}
