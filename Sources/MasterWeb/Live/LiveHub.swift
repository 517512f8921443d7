internal import FoundationEssentials
internal import MasterKit
internal import MasterRuntime
internal import Synchronization

/// A message to clients: that a record has changed.
///
/// Its texts are made once, however many clients get it.
struct LiveMessage: Sendable {
    /// The message as `/ws` sends it.
    let frame: String
    /// The message as `/sse` sends it.
    let event: String

    init(_ message: DataMessage) {
        let writer = JSONWriter(escapesNonASCII: true)
        let body = writer.string(message.body)
        let key = writer.string(.string(message.path.joined(separator: "/")))
        let path = writer.string(.array(message.path.map { .string($0) }))
        frame = "{\"k\":\(key),\"m\":\(body)}"
        event = "event: event\ndata: {\"key\":\(path),\"message\":\(body)}\n\n"
    }

    private init() {
        (frame, event) = ("", ":\n\n")
    }

    /// A sign of life, for `/sse`.
    static let heartbeat = LiveMessage()
}

/// A client of `/ws` or `/sse`, with what waits to be sent to it.
///
/// Messages that follow each other closely are sent together: a master that builds has many
/// hundreds a second, and each write to each client costs more than the message.
final class LiveClient: Sendable {
    /// The most messages that wait; a client that is slower is disconnected.
    static let bound = 4000
    /// How long messages are gathered after the first.
    private static let gatheringTime: Duration = .milliseconds(50)

    private struct State {
        var waiting: [LiveMessage] = []
        var isEnded = false
        var reason: String?
    }

    /// By which it can be found, for `/sse`.
    let id = UUID().uuidString.lowercased()
    private let state = Mutex(State())
    /// That something waits.
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init() {
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Why its messages have ended, if not by the client.
    var reason: String? { state.withLock(\.reason) }

    func send(_ message: LiveMessage) {
        let isLate = state.withLock { state in
            guard !state.isEnded, state.waiting.count < Self.bound else { return !state.isEnded }
            state.waiting.append(message)
            return false
        }
        if isLate {
            end("you read too slowly and have missed events; connect again")
        } else {
            waker.yield()
        }
    }

    /// Ends its messages.
    func end(_ reason: String? = nil) {
        state.withLock { state in
            state.reason = state.reason ?? reason
            state.isEnded = true
        }
        waker.finish()
    }

    /// What waits, each time that something does, until the client falls behind or the server
    /// ends it.
    var batches: some AsyncSequence<[LiveMessage], Never> {
        wakes.map { [self] _ in
            // Ends early with the task of the client.
            try? await Task.sleep(for: Self.gatheringTime)
            return take()
        }
    }

    private func take() -> [LiveMessage] {
        state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
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
        var patterns: [[String]: [String: LiveClient]] = [:]
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
            for (pattern, clients) in state.patterns where clients[client.id] != nil {
                state.patterns[pattern] = clients.count == 1 ? nil : clients
                state.patterns[pattern]?[client.id] = nil
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
            // Nobody would take those of one that has just left back.
            guard state.clients[client.id] != nil else { return true }
            let count = state.counts[client.id, default: 0]
            guard count < Self.patternLimit else { return false }
            if state.patterns[pattern, default: [:]].updateValue(client, forKey: client.id) == nil {
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
            guard state.patterns[pattern]?.removeValue(forKey: client.id) != nil else {
                return false
            }
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
            state.patterns.flatMap { pattern, clients in
                Self.matches(message.path, pattern) ? Array(clients.values) : []
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
