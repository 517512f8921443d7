import MasterTesting
import Synchronization

/// A receiver that responds at random and is offline from time to time.
final class ChaosReceiver: Sendable {
    private struct State {
        var arrivals: [Arrival] = []
        var unreadable = 0
        var isWell = false
        var server: LoopbackServer?
    }

    /// The port it listens on while online.
    let port: Int
    private let state = Mutex(State())

    init() async throws {
        let first = try LoopbackServer { _ in .text("ok") }
        port = first.port
        await first.stop()
    }

    /// All reports that have arrived, in order.
    var arrivals: [Arrival] { state.withLock(\.arrivals) }

    /// The number of requests that were not reports.
    var unreadable: Int { state.withLock(\.unreadable) }

    /// Alternates between 0.5 to 2 s online and up to 1.5 s offline.
    func run() async throws {
        while !Task.isCancelled {
            try appear()
            // The durations are part of the test.
            try? await Task.sleep(for: .milliseconds(.random(in: 500...2000)))
            await disappear()
            try? await Task.sleep(for: .milliseconds(.random(in: 100...1500)))
        }
    }

    /// Stays online and accepts everything.
    func recover() throws {
        state.withLock { $0.isWell = true }
        try appear()
    }

    func disappear() async {
        let server = state.withLock { state in
            defer { state.server = nil }
            return state.server
        }
        await server?.stop()
    }

    private func appear() throws {
        let server = try LoopbackServer(port: port) { [self] in answer($0) }
        state.withLock { $0.server = server }
    }

    private func answer(_ request: ReceivedRequest) -> ServerAnswer {
        state.withLock { state in
            let choice = state.isWell ? 0 : Int.random(in: 0..<100)
            let isTaken = choice < 60
            if let arrival = Arrival(request, isTaken: isTaken) {
                state.arrivals.append(arrival)
            } else {
                state.unreadable += 1
            }
            return switch choice {
            case ..<60: .text("ok")
            case ..<75: .text("no", status: 500)
            case ..<85: .text("slowly", status: 429, headers: [("Retry-After", "1")])
            case ..<90: .hang
            default: .reset
            }
        }
    }
}
