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
        var state: JSONValue?
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

    private let kept: Mutex<State>

    /// Creates a stand-in for the master that a service runs in.
    ///
    /// - Parameters:
    ///   - state: The state saved by the service in an earlier run.
    ///   - secrets: The values of secrets by name.
    ///   - clock: The clock for waits.
    /// - Throws: An error if the system cannot provide a thread or memory for the client.
    public init(
        state: JSONValue? = nil, secrets: [String: String] = [:],
        clock: any Clock<Duration> = ContinuousClock()
    ) throws {
        self.secrets = SecretValues(secrets)
        self.clock = clock
        http = HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = http.makeSession()
        kept = Mutex(State(state: state))
    }

    /// Runs a service until it returns, delivering the events it wants.
    ///
    /// - Throws: Any error from the service.
    public func run(_ service: some MasterService, events: [Event] = []) async throws {
        let name = type(of: service).pluginName
        let bus = EventBus()
        try await bus.withSubscription(to: service.wantedEvents, bound: events.count) { wanted in
            bus.publish(events)
            bus.finish()
            let logger = Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
            let context = ServiceContext(name: name, logger: logger, events: wanted, host: self)
            try await service.run(in: context)
        }
    }

    /// The builds submitted by the service, in order.
    public var requests: [BuildsetRequest] { kept.withLock(\.requests) }

    /// The last state saved by the service.
    public var savedState: JSONValue? { kept.withLock(\.state) }
}

extension ServiceHarness: ServiceHost {
    /// Records a request, and the state if given.
    package func submit(
        _ request: BuildsetRequest, saving state: JSONValue?
    ) async throws -> Submission {
        let id = kept.withLock { kept in
            kept.requests.append(request)
            kept.state = state ?? kept.state
            return kept.requests.count
        }
        let buildset = Buildset(
            id: id, reason: request.reason, submittedAt: .now, sourceStamps: request.sourceStamps)
        return Submission(buildset: buildset, requests: [])
    }

    /// The last state saved.
    package func state() async throws -> JSONValue? { savedState }

    /// No buildsets.
    package func buildsets(
        of scheduler: String, from id: Int
    ) async throws -> [ScheduledBuildset] { [] }

    /// Records a state.
    package func save(_ state: JSONValue) async throws {
        kept.withLock { $0.state = state }
    }
}

/// A clock that never waits: each sleep moves it to the end of the sleep at once and is recorded.
public final class EagerClock: Clock, Sendable {
    /// A point in time, relative to the creation of the clock.
    public struct Instant: InstantProtocol {
        private var offset = Duration.zero

        /// Returns the instant after a duration.
        public func advanced(by duration: Duration) -> Instant {
            var later = self
            later.offset += duration
            return later
        }

        /// Returns the time from this instant to another.
        public func duration(to other: Instant) -> Duration { other.offset - offset }

        /// Orders instants by time.
        public static func < (one: Instant, other: Instant) -> Bool { one.offset < other.offset }
    }

    private let state = Mutex((now: Instant(), sleeps: [Duration]()))

    /// Creates a clock.
    public init() {}

    /// The end of the last sleep.
    public var now: Instant { state.withLock { $0.now } }

    /// The smallest step of the clock.
    public var minimumResolution: Duration { .zero }

    /// The requested duration of each sleep, in order.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Advances the clock to an instant.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            state.sleeps.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline)
        }
    }
}
