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

    /// The values that settings may refer to.
    package let secrets: SecretValues
    /// What waits are measured with.
    package let clock: any Clock<Duration>
    /// The client with which requests are sent.
    package let http: HTTPClient
    /// The session in which requests are sent.
    package let session: HTTPSession

    private let kept: Mutex<State>

    /// Makes a stand-in for the master that a service runs in.
    ///
    /// - Parameters:
    ///   - state: What the service has saved in an earlier run.
    ///   - secrets: The values of secrets by name.
    ///   - clock: What waits are measured with.
    /// - Throws: When the system has no thread or memory for the client.
    public init(
        state: JSONValue? = nil, secrets: [String: String] = [:],
        clock: any Clock<Duration> = ContinuousClock()
    ) throws {
        self.secrets = SecretValues(secrets)
        self.clock = clock
        http = try HTTPClient(HTTPClientConfiguration(environment: [:]))
        session = try http.makeSession()
        kept = Mutex(State(state: state))
    }

    /// Runs a service with some events, of which it gets the wanted ones, until it returns.
    ///
    /// - Throws: What the service throws.
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

    /// The builds that the service submitted, in order.
    public var requests: [BuildsetRequest] { kept.withLock(\.requests) }

    /// What the service saved last.
    public var savedState: JSONValue? { kept.withLock(\.state) }
}

extension ServiceHarness: ServiceHost {
    /// Keeps a request, and a state with it.
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

    /// The state that was saved last.
    package func state() async throws -> JSONValue? { savedState }

    /// Keeps a state.
    package func save(_ state: JSONValue) async throws {
        kept.withLock { $0.state = state }
    }
}
