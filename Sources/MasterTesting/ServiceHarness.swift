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

    /// Records a state.
    package func save(_ state: JSONValue) async throws {
        kept.withLock { $0.state = state }
    }
}
