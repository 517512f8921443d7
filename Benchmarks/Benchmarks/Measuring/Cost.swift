import Dispatch
import Glibc

/// The elapsed time and the CPU time of this process for a piece of work, in seconds.
struct Cost: Sendable {
    let time: Double
    let cpu: Double

    /// Measures the cost of a closure.
    static func of(_ body: () async throws -> Void) async rethrows -> Cost {
        let (start, used) = (Moment.now(), clock())
        try await body()
        return Cost(
            time: Double(Moment.now() - start) / 1e9, cpu: Double(clock() - used) / 1e6)
    }
}

/// Times in nanoseconds since the system started, comparable between processes.
enum Moment {
    static func now() -> Int { Int(DispatchTime.now().uptimeNanoseconds) }
}
