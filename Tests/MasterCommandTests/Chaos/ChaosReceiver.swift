import MasterTesting
import Synchronization

/// A receiver that answers at random, and is away now and then.
final class ChaosReceiver: Sendable {
    private struct State {
        var arrivals: [Arrival] = []
        var unreadable = 0
        var isWell = false
        var server: LoopbackServer?
    }

    /// Where it listens while it is there.
    let port: Int
    private let state = Mutex(State())

    init() async throws {
        let first = try LoopbackServer { _ in .text("ok") }
        port = first.port
        await first.stop()
    }

    /// Everything that has arrived, in order.
    var arrivals: [Arrival] { state.withLock(\.arrivals) }

    /// How many requests were no reports.
    var unreadable: Int { state.withLock(\.unreadable) }

    /// Is there for half a second to two, then away for up to a second and a half, and so on.
    func run() async throws {
        while !Task.isCancelled {
            try appear()
            // How long is what is put to the test here.
            try? await Task.sleep(for: .milliseconds(.random(in: 500...2000)))
            await disappear()
            try? await Task.sleep(for: .milliseconds(.random(in: 100...1500)))
        }
    }

    /// Is there for good and takes everything.
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
