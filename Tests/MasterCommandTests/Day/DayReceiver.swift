import MasterTesting
import Synchronization

/// A receiver of reports that can go away.
final class DayReceiver: Sendable {
    private struct State {
        var arrivals: [Arrival] = []
        var unreadable = 0
        var isOverloaded = false
        var server: LoopbackServer?
    }

    /// The port it listens on while it is there.
    let port: Int
    private let state = Mutex(State())

    init() async throws {
        port = try await Self.freePort()
    }

    /// A port that nobody listens on.
    static func freePort() async throws -> Int {
        let server = try LoopbackServer { _ in .text("ok") }
        await server.stop()
        return server.port
    }

    /// All reports that have arrived, in order.
    var arrivals: [Arrival] { state.withLock(\.arrivals) }

    /// The number of reports that it was too busy for.
    var refusalCount: Int { arrivals.count { !$0.isTaken } }

    /// The number of requests that were not reports.
    var unreadable: Int { state.withLock(\.unreadable) }

    /// Is there from now on, and accepts reports, or answers that it is overloaded.
    func appear(overloaded: Bool = false) throws {
        let isThere = state.withLock { state in
            state.isOverloaded = overloaded
            return state.server != nil
        }
        guard !isThere else { return }
        let server = try LoopbackServer(port: port) { [self] in answer($0) }
        state.withLock { $0.server = server }
    }

    /// Refuses connections from now on.
    func disappear() async {
        let server = state.withLock { state in
            defer { state.server = nil }
            return state.server
        }
        await server?.stop()
    }

    private func answer(_ request: ReceivedRequest) -> ServerAnswer {
        state.withLock { state in
            if let arrival = Arrival(request, isTaken: !state.isOverloaded) {
                state.arrivals.append(arrival)
            } else {
                state.unreadable += 1
            }
            return state.isOverloaded ? .text("later", status: 503) : .text("ok")
        }
    }
}
