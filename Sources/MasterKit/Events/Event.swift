public import FoundationEssentials
internal import Synchronization

/// A change to a record, published after the store has committed it.
///
/// An event contains a snapshot of the record and is immutable; every reader has its own copy.
public struct Event: Sendable, Hashable {
    /// The position in the stored order of events, or `nil` if it is only published live.
    package var sequence: Int?
    /// When it happened.
    public let at: Date
    /// What happened.
    public let kind: EventKind
    /// The lane within which events are kept in order: the build request's id, or the negated id of
    /// a buildset; 0 for a change.
    package let lane: Int
    /// The build that the event concerns.
    public let buildID: Int?
    /// The last build of the same builder that had finished when this build started.
    package let previousBuildID: Int?
    /// The record in the data API's form.
    ///
    /// The record of a build contains its request, buildset, builder, properties and URL. When the
    /// event is stored for reports, a step contains its build under `build`, a request what is
    /// known about its build (a collapsed one the build in its place), and a buildset the initial
    /// `properties` of its builds.
    public let record: JSONObject

    package init(
        sequence: Int? = nil, at: Date, kind: EventKind, lane: Int, buildID: Int? = nil,
        previousBuildID: Int? = nil, record: JSONObject
    ) {
        self.sequence = sequence
        self.at = at
        self.kind = kind
        self.lane = lane
        self.buildID = buildID
        self.previousBuildID = previousBuildID
        self.record = record
    }

    /// The result in the record, or `nil` if not finished.
    public var results: Results? {
        record["results"]?.intValue.flatMap(Results.init(rawValue:))
    }

    /// The record of the build that the event concerns: the step's build, or the request's, as far
    /// as it is known.
    public var buildRecord: JSONObject? {
        switch kind.record {
        case .build: record
        case .step, .buildrequest: record["build"]?.objectValue
        case .buildset, .change, .log, .properties, .worker, .scheduler: nil
        }
    }

    /// The name of the builder.
    public var builderName: String? {
        buildRecord?["builder"]?["name"]?.stringValue
    }

    /// The tags of the builder.
    public var builderTags: [String] {
        buildRecord?["builder"]?["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }

    /// The value of a property of the build.
    public func property(_ name: String) -> JSONValue? {
        buildRecord?["properties"]?[name]?[0]
    }
}

/// The kinds of events.
public enum EventKind: String, Sendable, Hashable, CaseIterable, Codable {
    case buildsetNew = "buildset.new"
    case buildsetFinished = "buildset.finished"
    case buildrequestNew = "buildrequest.new"
    case buildrequestClaimed = "buildrequest.claimed"
    case buildrequestUnclaimed = "buildrequest.unclaimed"
    case buildrequestCancelled = "buildrequest.cancelled"
    /// The build that is made in place of a collapsed request has started or ended, or its own
    /// request was cancelled; with the results of that build.
    case buildrequestCollapsed = "buildrequest.collapsed"
    case buildrequestFinished = "buildrequest.finished"
    case buildNew = "build.new"
    case buildFinished = "build.finished"
    case stepNew = "step.new"
    case stepStarted = "step.started"
    case stepUpdated = "step.updated"
    case stepFinished = "step.finished"
    case logNew = "log.new"
    case logAppended = "log.appended"
    /// The file of a log has more lines; without their content, and only published live.
    case logGrown = "log.grown"
    case logFinished = "log.finished"
    case propertiesUpdated = "properties.updated"
    case changeNew = "change.new"
    case workerConnected = "worker.connected"
    case workerDisconnected = "worker.disconnected"
    case workerMissing = "worker.missing"
    case workerUpdated = "worker.updated"
    case schedulerUpdated = "scheduler.updated"
}

extension EventKind {
    /// The kinds of records that an event can be about.
    public enum Record: String, Sendable, Hashable {
        case buildset
        case buildrequest
        case build
        case step
        case log
        case properties
        case change
        case worker
        case scheduler
    }

    /// The kind of record: the first part of the event's name.
    public var record: Record {
        switch self {
        case .buildsetNew, .buildsetFinished: .buildset
        case .buildrequestNew, .buildrequestClaimed, .buildrequestUnclaimed,
            .buildrequestCancelled, .buildrequestCollapsed, .buildrequestFinished:
            .buildrequest
        case .buildNew, .buildFinished: .build
        case .stepNew, .stepStarted, .stepUpdated, .stepFinished: .step
        case .logNew, .logAppended, .logGrown, .logFinished: .log
        case .propertiesUpdated: .properties
        case .changeNew: .change
        case .workerConnected, .workerDisconnected, .workerMissing, .workerUpdated: .worker
        case .schedulerUpdated: .scheduler
        }
    }
}

/// Delivers committed events to live readers.
///
/// Publishing never blocks: each reader has a bounded buffer, and a slow reader is told how many
/// events it missed, at the position of the gap.
package final class EventBus: Sendable {
    private struct State {
        var buffers: [EventBuffer] = []
        var wantedKinds: Set<EventKind> = []
        var isFinished = false
    }

    private let state = Mutex(State())

    /// Creates a bus without readers.
    package init() {}

    /// The kinds that currently have readers.
    package var wantedKinds: Set<EventKind> {
        state.withLock(\.wantedKinds)
    }

    /// Whether a kind currently has readers.
    package func isWanted(_ kind: EventKind) -> Bool {
        state.withLock { $0.wantedKinds.contains(kind) }
    }

    /// Runs a closure with a subscription to events of some kinds published from now on.
    ///
    /// The sequence ends when the bus finishes, or when the task that reads it is cancelled.
    /// - Parameters:
    ///   - kinds: The kinds to deliver; other events cost the reader nothing.
    ///   - bound: The size of the buffer in events, at least 1.
    ///   - body: Reads the subscription, which ends with the closure.
    /// - Returns: The result of `body`.
    /// - Throws: Any error thrown by `body`.
    package func withSubscription<Value, Failure: Error>(
        to kinds: Set<EventKind>, bound: Int,
        _ body: (EventSubscription) async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let events = subscribe(to: kinds, bound: bound)
        defer { unsubscribe(events) }
        return try await body(events)
    }

    /// Starts a subscription, which lasts until `unsubscribe`.
    package func subscribe(to kinds: Set<EventKind>, bound: Int) -> EventSubscription {
        let buffer = EventBuffer(kinds: kinds, bound: bound)
        let isFinished = state.withLock { state in
            state.buffers.append(buffer)
            state.wantedKinds.formUnion(buffer.kinds)
            return state.isFinished
        }
        if isFinished { buffer.finish() }
        return EventSubscription(buffer: buffer)
    }

    /// Ends a subscription.
    package func unsubscribe(_ events: EventSubscription) {
        state.withLock { state in
            state.buffers.removeAll { $0 === events.buffer }
            state.wantedKinds = state.buffers.reduce(into: []) { $0.formUnion($1.kinds) }
        }
        events.finish()
    }

    /// Delivers events to their readers, in order, without blocking.
    package func publish(_ events: some Sequence<Event>) {
        let buffers = state.withLock(\.buffers)
        guard !buffers.isEmpty else { return }
        for event in events {
            for buffer in buffers where buffer.kinds.contains(event.kind) {
                buffer.append(event)
            }
        }
    }

    /// Delivers one event to its readers, without blocking.
    package func publish(_ event: Event) {
        publish(CollectionOfOne(event))
    }

    /// Ends all subscriptions, present and future, once their buffered events have been read.
    package func finish() {
        let buffers = state.withLock { state in
            state.isFinished = true
            return state.buffers
        }
        for buffer in buffers { buffer.finish() }
    }
}

/// A live sequence of events, in the order in which the store committed them.
public struct EventSubscription: AsyncSequence, Sendable {
    /// An event, or the number of missed events.
    public enum Element: Sendable, Hashable {
        /// An event occurred.
        case event(Event)
        /// This many events were dropped for this reader because its buffer was full.
        case missed(Int)
    }
    /// Reading does not fail.
    public typealias Failure = Never

    /// Reads one element after the other from the reader's buffer.
    public struct Iterator: AsyncIteratorProtocol {
        let buffer: EventBuffer

        /// Waits for the next element; `nil` at the end or if the task is cancelled.
        public mutating func next() async -> EventSubscription.Element? {
            await buffer.next()
        }

        /// Waits for the next element; `nil` at the end or if the task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async -> EventSubscription.Element? {
            await buffer.next()
        }
    }

    let buffer: EventBuffer

    /// The kinds of events delivered to the reader.
    package var kinds: Set<EventKind> { buffer.kinds }

    /// Ends the sequence after the events already published.
    package func finish() {
        buffer.finish()
    }

    /// Creates an iterator; if there are several, each element goes to only one of them.
    public func makeAsyncIterator() -> Iterator {
        Iterator(buffer: buffer)
    }
}

/// The bounded buffer between the bus and one reader.
final class EventBuffer: Sendable {
    private typealias Waiter = CheckedContinuation<EventSubscription.Element?, Never>

    private struct State {
        var notices: [EventSubscription.Element] = []
        var head = 0
        var missed = 0
        var waiters: [(id: Int, continuation: Waiter)] = []
        var cancelled: Set<Int> = []
        var nextWaiter = 0
        var isFinished = false

        var count: Int { notices.count - head }

        mutating func append(_ event: Event, bound: Int) {
            guard count < bound else {
                missed += 1
                return
            }
            if missed > 0 {
                notices.append(.missed(missed))
                missed = 0
            }
            notices.append(.event(event))
        }

        mutating func take() -> EventSubscription.Element? {
            guard head < notices.count else {
                guard missed > 0 else { return nil }
                defer { missed = 0 }
                return .missed(missed)
            }
            let notice = notices[head]
            head += 1
            if head == notices.count || head >= 256 {
                notices.removeFirst(head)
                head = 0
            }
            return notice
        }
    }

    let kinds: Set<EventKind>
    private let bound: Int
    private let state = Mutex(State())

    init(kinds: Set<EventKind>, bound: Int) {
        self.kinds = kinds
        self.bound = max(1, bound)
    }

    /// Adds an event, or counts it as missed if the buffer is full.
    func append(_ event: Event) {
        let waiter: Waiter? = state.withLock { state in
            guard !state.isFinished else { return nil }
            guard state.waiters.isEmpty else { return state.waiters.removeFirst().continuation }
            state.append(event, bound: bound)
            return nil
        }
        waiter?.resume(returning: .event(event))
    }

    /// Ends the reader's sequence after the buffered events.
    func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: nil) }
    }

    /// Waits for the next element; `nil` at the end or if the task is cancelled.
    func next() async -> EventSubscription.Element? {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(id, continuation)
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func wait(_ id: Int, _ continuation: Waiter) {
        let answer: EventSubscription.Element?? = state.withLock { state in
            if state.cancelled.remove(id) != nil { return .some(nil) }
            if let notice = state.take() { return notice }
            if state.isFinished { return .some(nil) }
            state.waiters.append((id, continuation))
            return .none
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func cancel(_ id: Int) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.waiters.remove(at: index).continuation
        }
        waiter?.resume(returning: nil)
    }
}
