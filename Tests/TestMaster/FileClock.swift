import FoundationEssentials
import MasterKit

/// The time that another process writes into a file, in milliseconds since 1970.
///
/// The file is replaced, and never changed, so that a time is read whole. Time that passes while no
/// master is running passes for the next one, too.
struct FileClock: WallClock {
    /// How often a sleeper looks at the file.
    private static let look = Duration.milliseconds(4)

    let path: String

    var now: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

    var monotonic: any Clock<Duration> { MonotonicFileClock(file: self) }

    func sleep(until moment: Date) async throws {
        try await sleep { now < moment }
    }

    fileprivate func sleep(while isEarly: () -> Bool) async throws {
        while isEarly() { try await Task.sleep(for: Self.look) }
        try Task.checkCancellation()
    }

    fileprivate var milliseconds: Int {
        do {
            let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
            guard let number = Int(text) else { fatalError("\(path) has no time: \(text)") }
            return number
        } catch {
            fatalError("\(path) can't be read: \(error)")
        }
    }
}

/// The durations that pass on a ``FileClock``.
private struct MonotonicFileClock: Clock {
    struct Instant: InstantProtocol {
        var sinceEpoch: Duration

        func advanced(by duration: Duration) -> Instant {
            Instant(sinceEpoch: sinceEpoch + duration)
        }

        func duration(to other: Instant) -> Duration { other.sinceEpoch - sinceEpoch }

        static func < (one: Instant, other: Instant) -> Bool { one.sinceEpoch < other.sinceEpoch }
    }

    let file: FileClock

    var now: Instant { Instant(sinceEpoch: .milliseconds(file.milliseconds)) }

    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        // Not as a date, which may be a little later, and so never be there.
        try await file.sleep { now < deadline }
    }
}
