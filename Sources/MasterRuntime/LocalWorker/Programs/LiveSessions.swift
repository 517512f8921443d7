import Glibc
import Synchronization

/// The sessions of a worker's programs that have not ended, for an end that cannot wait.
final class LiveSessions: Sendable {
    private let leaders = Mutex<Set<pid_t>>([])

    /// Runs a body while a session counts as live.
    func with<Value>(_ session: ProcessSession, _ body: () async throws -> Value) async rethrows
        -> Value
    {
        leaders.withLock { _ = $0.insert(session.leader) }
        defer { leaders.withLock { _ = $0.remove(session.leader) } }
        return try await body()
    }

    /// Sends KILL to all of them and waits for nothing.
    func kill() {
        for leader in leaders.withLock({ $0 }) {
            ProcessSession(leader: leader).signal([SIGKILL], isLeaderKept: true)
        }
    }
}
