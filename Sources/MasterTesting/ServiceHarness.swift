import FoundationEssentials
public import MasterKit
import Synchronization

/// Runs a service without a master: events come from the test, submitted builds and the state are
/// kept in memory, HTTP is real.
///
/// ```swift
/// let harness = try ServiceHarness()
/// let chain = try Chain.configured(["after": "a", "builderNames": ["b"]])
/// try await harness.run(chain, events: [RecordedBuild(builder: "a").finished])
/// #expect(harness.requests.map(\.builders) == [["b"]])
/// ```
public final class ServiceHarness: Sendable {
    private struct State {
        var requests: [BuildsetRequest] = []
        var changes: [Change] = []
        var state: JSONValue?
        var problem: String?
    }

    /// The secrets that settings may refer to.
    package let secrets: SecretValues
    /// The clock for waits.
    package let clock: any Clock<Duration>
    /// The clock that knows the date.
    package var time: any WallClock { SystemWallClock() }
    /// The client for requests.
    package let http: HTTPClient
    /// The session for requests.
    package let session: HTTPSession

    /// Called for each request, before it is recorded.
    private let accept: @Sendable (BuildsetRequest) async throws -> Void
    private let kept: Mutex<State>
    private let waiters = Waiters()

    /// Creates a stand-in for the master that a service runs in.
    ///
    /// - Parameters:
    ///   - state: The state saved by the service in an earlier run.
    ///   - secrets: The values of secrets by name.
    ///   - clock: The clock for waits.
    ///   - accept: Called for each submitted request; if it throws, the service gets the error.
    /// - Throws: An error if the system cannot provide a thread or memory for the client.
    public init(
        state: JSONValue? = nil, secrets: [String: String] = [:],
        clock: any Clock<Duration> = ContinuousClock(),
        accepting accept: @escaping @Sendable (BuildsetRequest) async throws -> Void = { _ in }
    ) throws {
        self.secrets = SecretValues(secrets)
        self.clock = clock
        self.accept = accept
        http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = http.makeSession()
        kept = Mutex(State(state: state))
    }

    /// Runs a service until it returns, delivering the events it wants.
    ///
    /// A second call is a restart: the service finds the state that it has saved.
    ///
    /// - Throws: Any error from the service.
    public func run(_ service: some MasterService, events: [Event] = []) async throws {
        let bus = EventBus()
        try await bus.withSubscription(to: service.wantedEvents, bound: events.count) { wanted in
            bus.publish(events)
            bus.finish()
            try await run(service, wanted)
        }
    }

    /// Runs a service beside a closure that publishes events, and shuts the service down after it:
    /// the events end, and a service that wants none is cancelled.
    ///
    /// ```swift
    /// try await harness.run(chain) { events in
    ///     events.publish(RecordedBuild(builder: "a").finished)
    ///     let requests = await harness.waitForRequests(1)
    ///     #expect(requests.map(\.builders) == [["b"]])
    /// }
    /// ```
    ///
    /// - Returns: What the closure returns.
    /// - Throws: What the closure throws, or else any error from the service.
    public func run<Value>(
        _ service: some MasterService, _ body: (LiveEvents) async throws -> Value
    ) async throws -> Value {
        let bus = EventBus()
        return try await bus.withSubscription(to: service.wantedEvents, bound: 1024) { wanted in
            // Ends below.
            let task = Task { try await self.run(service, wanted) }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body(LiveEvents(bus: bus)))
            } catch {
                outcome = .failure(error)
            }
            bus.finish()
            if service.wantedEvents.isEmpty { task.cancel() }
            let end = await withTaskCancellationHandler {
                await task.result
            } onCancel: {
                task.cancel()
            }
            let value = try outcome.get()
            do {
                try end.get()
            } catch is CancellationError where task.isCancelled {
                // It has been shut down.
            }
            return value
        }
    }

    func run(_ service: some MasterService, _ events: EventSubscription) async throws {
        let name = type(of: service).pluginName
        let logger = Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
        try await service.run(
            in: ServiceContext(name: name, logger: logger, events: events, host: self))
    }

    /// Waits until the service has submitted a number of builds, or the task is cancelled.
    ///
    /// - Returns: All builds submitted so far.
    @discardableResult
    public func waitForRequests(_ count: Int) async -> [BuildsetRequest] {
        await waiters.wait { self.requests.count >= count }
        return requests
    }

    /// The builds submitted by the service, in order.
    public var requests: [BuildsetRequest] { kept.withLock(\.requests) }

    /// The changes added by the service, in order.
    public var changes: [Change] { kept.withLock(\.changes) }

    /// The last state saved by the service.
    public var savedState: JSONValue? { kept.withLock(\.state) }

    /// What keeps the service from its work, as it said last.
    public package(set) var problem: String? {
        get { kept.withLock(\.problem) }
        set { kept.withLock { $0.problem = newValue } }
    }
}

extension ServiceHarness: ServiceHost {
    /// Records a request, and the state if given.
    package func submit(
        _ request: BuildsetRequest, saving state: JSONValue?
    ) async throws -> Submission {
        try await accept(request)
        let id = kept.withLock { kept in
            kept.requests.append(request)
            kept.state = state ?? kept.state
            return kept.requests.count
        }
        waiters.check()
        let buildset = Buildset(
            id: id, reason: request.reason, submittedAt: .now, sourceStamps: request.sourceStamps)
        return Submission(buildset: buildset, requests: [])
    }

    /// Records changes, and the state if given.
    package func addChanges(_ changes: [Change], saving state: JSONValue?) async throws -> [Change]
    {
        let added = kept.withLock { kept in
            let added = changes.numbered(after: kept.changes.count)
            kept.changes += added
            kept.state = state ?? kept.state
            return added
        }
        waiters.check()
        return added
    }

    /// The changes added by the service.
    package func changes(after id: Int, limit: Int) async throws -> [Change] {
        Array(changes.filter { $0.id > id }.prefix(limit))
    }

    /// The changes added by the service that have one of the ids.
    package func changes(_ ids: [Int]) async throws -> [Change] {
        changes.filter { ids.contains($0.id) }
    }

    /// The number of changes added by the service.
    package func newestChangeID() async throws -> Int { changes.count }

    /// Nobody can disable the service.
    package func isEnabled() async throws -> Bool { true }

    /// The last state saved.
    package func state() async throws -> JSONValue? { savedState }

    /// No buildsets.
    package func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset] { [] }

    /// Records a state.
    package func save(_ state: JSONValue) async throws {
        kept.withLock { $0.state = state }
    }
}

extension [Change] {
    /// The changes with ids that follow one.
    func numbered(after id: Int) -> [Change] {
        enumerated().map { index, change in
            var change = change
            change.id = id + index + 1
            return change
        }
    }
}

/// The events of a running service, as the test publishes them.
public struct LiveEvents: Sendable {
    let bus: EventBus

    /// Delivers events to the service, if it wants them.
    public func publish(_ events: Event...) {
        bus.publish(events)
    }
}
