import Dispatch
import Glibc

/// The time and the CPU time that something took in this process, in seconds.
struct Cost: Sendable {
    let time: Double
    let cpu: Double

    /// Runs a body and tells what it cost.
    static func of(_ body: () async throws -> Void) async rethrows -> Cost {
        let (start, used) = (Moment.now(), clock())
        try await body()
        return Cost(
            time: Double(Moment.now() - start) / 1e9, cpu: Double(clock() - used) / 1e6)
    }
}

/// Points in time, in nanoseconds since the system started, the same in all of its processes.
enum Moment {
    static func now() -> Int { Int(DispatchTime.now().uptimeNanoseconds) }
}
