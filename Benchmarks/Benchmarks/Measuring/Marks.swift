import Synchronization

/// The moments that steps noted.
final class Marks: Sendable {
    static let shared = Marks()

    private let moments = Mutex<[Int]>([])

    func add(_ moment: Int) {
        moments.withLock { $0.append(moment) }
    }

    /// The last moment.
    var last: Int { moments.withLock { $0.last ?? 0 } }
}
