internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// A message to clients: that a record has changed.
///
/// Its text is made once, however many clients get it.
struct LiveMessage: Sendable {
    /// The parts of its path, or none for a sign of life.
    let path: [String]
    /// The record as JSON.
    let body: String

    /// The message as `/ws` sends it.
    let frame: String

    init(_ message: DataMessage) {
        path = message.path
        body = JSONWriter(escapesNonASCII: true).string(message.body)
        let key = JSONWriter(escapesNonASCII: true).string(
            .string(message.path.joined(separator: "/")))
        frame = "{\"k\":\(key),\"m\":\(body)}"
    }

    private init() {
        (path, body, frame) = ([], "", "")
    }

    /// A sign of life.
    static let heartbeat = LiveMessage()
}

/// A client of `/ws` or `/sse`, with what waits to be sent to it.
final class LiveClient: Sendable {
    /// The most messages that wait; a client that is slower is disconnected.
    static let bound = 1000

    /// By which it can be found, for `/sse`.
    let id = UUID().uuidString.lowercased()
    /// The messages, until the client falls behind or the server ends it.
    let messages: AsyncStream<LiveMessage>
    private let continuation: AsyncStream<LiveMessage>.Continuation
    private let ending = Mutex<String?>(nil)

    init() {
        (messages, continuation) = AsyncStream.makeStream(
            bufferingPolicy: .bufferingOldest(Self.bound))
    }

    /// Why its messages have ended, if not by the client.
    var reason: String? { ending.withLock { $0 } }

    func send(_ message: LiveMessage) {
        if case .dropped = continuation.yield(message) {
            end("you read too slowly and have missed events; connect again")
        }
    }

    /// Ends its messages.
    func end(_ reason: String? = nil) {
        ending.withLock { $0 = $0 ?? reason }
        continuation.finish()
    }
}

/// Passes events on to the clients that have asked for them.
///
/// It reads the master's events only while there are clients, and never waits for one.
final class LiveHub: Sendable {
    /// The number of events that it may fall behind the master.
    private static let bound = 8192
    /// The most patterns of one client.
    static let patternLimit = 1000

    private struct State {
        var clients: [String: LiveClient] = [:]
        /// The clients of each pattern, so that equal patterns are matched once.
        var patterns: [[String]: Set<String>] = [:]
        var counts: [String: Int] = [:]
        var events: EventSubscription?
        var isFinished = false
    }

    private let bus: EventBus
    private let state = Mutex(State())

    init(_ bus: EventBus) {
        self.bus = bus
    }

    // MARK: Clients

    /// Adds a client, until `disconnect`.
    func connect() -> LiveClient {
        let client = LiveClient()
        let events: EventSubscription? = state.withLock { state in
            guard !state.isFinished else {
                client.end("the master is stopping")
                return nil
            }
            state.clients[client.id] = client
            guard state.events == nil else { return nil }
            let events = bus.subscribe(to: DataAPI.messageKinds, bound: Self.bound)
            state.events = events
            return events
        }
        guard let events else { return client }
        // Ends with the subscription: after the last client, or with the master.
        Task { await pass(events) }
        return client
    }

    /// Removes a client.
    func disconnect(_ client: LiveClient) {
        client.end()
        let events: EventSubscription? = state.withLock { state in
            state.clients[client.id] = nil
            state.counts[client.id] = nil
            for (pattern, clients) in state.patterns where clients.contains(client.id) {
                let others = clients.subtracting([client.id])
                state.patterns[pattern] = others.isEmpty ? nil : others
            }
            guard state.clients.isEmpty else { return nil }
            defer { state.events = nil }
            return state.events
        }
        if let events { bus.unsubscribe(events) }
    }

    /// The client with an id.
    func client(_ id: String) -> LiveClient? { state.withLock { $0.clients[id] } }

    /// The number of clients.
    var clientCount: Int { state.withLock(\.clients.count) }

    /// Sends a client the messages whose paths match a pattern, in which `*` is any one part.
    ///
    /// - Returns: Whether it may have that many patterns.
    func add(_ pattern: [String], to client: LiveClient) -> Bool {
        state.withLock { state in
            let count = state.counts[client.id, default: 0]
            guard count < Self.patternLimit else { return false }
            if state.patterns[pattern, default: []].insert(client.id).inserted {
                state.counts[client.id] = count + 1
            }
            return true
        }
    }

    /// Takes a pattern back.
    ///
    /// - Returns: Whether the client had it.
    func remove(_ pattern: [String], from client: LiveClient) -> Bool {
        state.withLock { state in
            guard state.patterns[pattern]?.remove(client.id) != nil else { return false }
            if state.patterns[pattern]?.isEmpty == true { state.patterns[pattern] = nil }
            state.counts[client.id, default: 1] -= 1
            return true
        }
    }

    // MARK: Events

    private func pass(_ events: EventSubscription) async {
        for await element in events {
            switch element {
            case .event(let event):
                for message in DataAPI.messages(for: event) { pass(message) }
            case .missed:
                endClients("events were missed; connect again")
            }
        }
    }

    private func pass(_ message: DataMessage) {
        let clients: [LiveClient] = state.withLock { state in
            state.patterns.flatMap { pattern, ids in
                Self.matches(message.path, pattern) ? ids.compactMap { state.clients[$0] } : []
            }
        }
        guard !clients.isEmpty else { return }
        let message = LiveMessage(message)
        for client in clients { client.send(message) }
    }

    private static func matches(_ path: [String], _ pattern: [String]) -> Bool {
        path.count == pattern.count
            && zip(path, pattern).allSatisfy { $1 == "*" || $0 == $1 }
    }

    /// Disconnects all clients.
    func endClients(_ reason: String) {
        for client in state.withLock({ Array($0.clients.values) }) { client.end(reason) }
    }

    /// Disconnects all clients, also those to come.
    func finish() {
        state.withLock { $0.isFinished = true }
        endClients("the master is stopping")
    }
}
