public import FoundationEssentials

/// A plugin that runs alongside builds: it can read their events, submit builds, and send HTTP.
///
/// ```swift
/// /// Builds some builders after another one has succeeded.
/// struct Chain: MasterService {
///     static let summary = "Builds builders after another one has succeeded."
///
///     @Setting("The builder to wait for.", .notEmpty) var after: String
///     @Setting("The builders to build then.", .notEmpty) var builderNames: [String]
///
///     let wantedEvents: Set<EventKind> = [.buildFinished]
///
///     func run(in context: ServiceContext) async throws {
///         for await case .event(let build) in context.events
///         where build.builderName == after && build.results == .success {
///             try await context.submit(
///                 BuildsetRequest(builders: builderNames, reason: "\(after) succeeded"))
///         }
///     }
/// }
/// ```
///
/// In a file it is listed under `services` as `services.Chain`.
public protocol MasterService: Plugin where Options == ServiceOptions {
    /// The kinds of events delivered in ``ServiceContext/events``; none by default.
    var wantedEvents: Set<EventKind> { get }

    /// Runs until the master shuts down. The event sequence then ends, and a service that is still
    /// running some seconds later is cancelled; one without wanted events is cancelled immediately.
    ///
    /// Called in a separate task before the first build starts. A service that returns has finished
    /// and is not started again.
    /// - Throws: An error whose description can be shown to the user; it is logged, and the service
    ///   is restarted after a pause that grows with each failure.
    func run(in context: ServiceContext) async throws
}

extension MasterService {
    /// The namespace `services`.
    public static var namespace: PluginNamespace { PluginKind.services.namespace }

    /// No events.
    public var wantedEvents: Set<EventKind> { [] }
}

/// The settings common to all services.
public struct ServiceOptions: Settings {
    /// The name, unique in a master.
    @Setting("The service's name; by default the plugin's.", .notEmpty)
    public var name: String?

    /// Creates the options with their defaults.
    public init() {}
}

/// A service as master.yaml declares it.
package typealias ServiceDeclaration = PluginDeclaration<any MasterService, ServiceOptions>

extension PluginDeclaration where P == any MasterService, Options == ServiceOptions {
    /// The name under which the service's state is stored.
    package var name: String { options.name ?? key.name }
}

extension PluginKind<any MasterService, ServiceOptions> {
    /// The plugin kind for services other than reporters.
    public static var services: Self { Self("services", scope: .service) }
}

/// The interface of a running service to events, builds, its state, and HTTP.
public struct ServiceContext: Sendable {
    /// The service's name in this master.
    public let name: String
    /// The service's logger; messages are masked.
    public let logger: Logger
    /// The wanted events since before the first build, each delivered after the store has committed
    /// it.
    ///
    /// A service that falls more than a thousand events behind gets `.missed` in place of the
    /// newest ones. The sequence ends when the master shuts down; after a failure of the service it
    /// continues where it was.
    public let events: EventSubscription
    private let host: any ServiceHost

    /// Creates a context backed by a host.
    package init(name: String, logger: Logger, events: EventSubscription, host: any ServiceHost) {
        self.name = name
        self.logger = logger
        self.events = events
        self.host = host
    }

    /// Computes the value of a setting; it can refer only to secrets.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>
    ) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(secrets: host.secrets))
    }

    /// Computes the value of an optional setting, or `nil` if it was omitted.
    public func render<Value: SettingValue>(
        _ setting: Renderable<Value>?
    ) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: RenderContext(secrets: host.secrets))
    }

    /// Replaces secrets in everything that is displayed or stored.
    public var mask: SecretMask { host.secrets.mask }

    /// What keeps the service from its work, or `nil`, as at its start, while nothing does.
    ///
    /// It is logged when it changes, and shown by `status`, on the page and in `/metrics` as long
    /// as it is set. Secrets in it are replaced.
    public var problem: String? {
        get { host.problem }
        nonmutating set { host.problem = newValue }
    }

    /// Submits builds.
    ///
    /// - Parameters:
    ///   - request: Which builders should build what, and why.
    ///   - state: A state to store in the same transaction as the buildset, so that neither is
    ///     stored without the other; `nil` leaves the state unchanged.
    /// - Returns: The buildset with its requests.
    /// - Throws: An error whose description can be shown to the user: a builder does not exist, the
    ///   master is shutting down, or the store failed.
    @discardableResult
    public func submit(
        _ request: BuildsetRequest, saving state: JSONValue? = nil
    ) async throws -> Submission {
        try await host.submit(request, saving: state)
    }

    /// Adds a change to the sources; see ``addChanges(_:saving:)``.
    @discardableResult
    public func addChange(_ change: Change, saving state: JSONValue? = nil) async throws -> Change {
        try await host.addChanges([change], saving: state).first ?? change
    }

    /// Adds changes to the sources, oldest first, for the schedulers that follow them.
    ///
    /// - Parameters:
    ///   - changes: The changes.
    ///   - state: A state to store in the same transaction, so that after a crash no change is
    ///     added twice or forgotten; `nil` leaves the state unchanged.
    /// - Returns: The changes with their ids; secrets in them are replaced.
    /// - Throws: An error whose description can be shown to the user: the properties of a change
    ///   are too large, or the store failed.
    @discardableResult
    public func addChanges(
        _ changes: [Change], saving state: JSONValue? = nil
    ) async throws -> [Change] {
        try await host.addChanges(changes, saving: state)
    }

    /// The state last saved by the service, in this run or an earlier one, or `nil` if none.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func state() async throws -> JSONValue? {
        try await host.state()
    }

    /// Saves a state for ``state()``, under the service's name.
    ///
    /// - Throws: An error whose description can be shown to the user if the store failed.
    public func save(_ state: JSONValue) async throws {
        try await host.save(state)
    }

    /// Sends an HTTP request using the service's session.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await host.http.send(request, in: host.session)
    }

    /// The buildsets of a scheduler from an id on.
    func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset] {
        try await host.buildsets(of: scheduler, from: id, and: earlier)
    }

    /// The oldest changes after an id.
    func changes(after id: Int, limit: Int) async throws -> [Change] {
        try await host.changes(after: id, limit: limit)
    }

    /// The changes with ids, oldest first.
    func changes(_ ids: [Int]) async throws -> [Change] { try await host.changes(ids) }

    /// The id of the newest change, or 0 if there is none.
    func newestChangeID() async throws -> Int { try await host.newestChangeID() }

    /// Whether nobody has disabled the scheduler that this is.
    func isEnabled() async throws -> Bool { try await host.isEnabled() }

    /// The current time.
    public var now: Date { host.time.now }

    /// Waits until a time; returns immediately if it has passed.
    ///
    /// - Throws: `CancellationError` if the service should end.
    public func sleep(until moment: Date) async throws {
        try await host.time.sleep(until: moment)
    }

    /// Suspends for a duration.
    ///
    /// - Throws: `CancellationError` if the service should end.
    public func sleep(for duration: Duration) async throws {
        try await host.clock.sleep(for: duration)
    }
}

/// The backend of a ``ServiceContext``: the runtime, or a test double.
package protocol ServiceHost: Sendable {
    /// The secrets that settings can refer to.
    var secrets: SecretValues { get }
    /// The clock for waits.
    var clock: any Clock<Duration> { get }
    /// The clock that knows the date.
    var time: any WallClock { get }
    /// The client of the process.
    var http: HTTPClient { get }
    /// The session of the service.
    var session: HTTPSession { get }
    /// What keeps the service from its work.
    var problem: String? { get nonmutating set }

    /// Submits builds and stores a state in the same transaction.
    func submit(_ request: BuildsetRequest, saving state: JSONValue?) async throws -> Submission
    /// Adds changes and stores a state in the same transaction.
    func addChanges(_ changes: [Change], saving state: JSONValue?) async throws -> [Change]
    /// The state last saved.
    func state() async throws -> JSONValue?
    /// Saves a state.
    func save(_ state: JSONValue) async throws
    /// The buildsets of a scheduler from an id on, oldest first.
    func buildsets(
        of scheduler: String, from id: Int, and earlier: [Int]
    ) async throws -> [ScheduledBuildset]
    /// The oldest changes after an id, oldest first.
    func changes(after id: Int, limit: Int) async throws -> [Change]
    /// The changes with ids, oldest first, as far as they are stored.
    func changes(_ ids: [Int]) async throws -> [Change]
    /// The id of the newest change, or 0 if there is none.
    func newestChangeID() async throws -> Int
    /// Whether it is not a scheduler that somebody has disabled.
    func isEnabled() async throws -> Bool
}
