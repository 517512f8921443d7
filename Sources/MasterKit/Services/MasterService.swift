/// A plugin that runs beside the builds: it watches them, submits more, talks to the world.
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
/// In a file it stands in `services`, as `services.Chain`.
public protocol MasterService: Plugin where Options == ServiceOptions {
    /// The kinds of events that ``ServiceContext/events`` has; none by default.
    var wantedEvents: Set<EventKind> { get }

    /// Runs until the master shuts down: then the events come to their end, and a service that
    /// goes on for more than some seconds is cancelled.
    ///
    /// Called in a task of its own before the first build begins. A service that returns has done
    /// its work.
    /// - Throws: An error with a sentence for people; it is logged, and the service is started
    ///   again after a pause that grows with each failure.
    func run(in context: ServiceContext) async throws
}

extension MasterService {
    /// The namespace `services`.
    public static var namespace: PluginNamespace { PluginKind.services.namespace }

    /// None.
    public var wantedEvents: Set<EventKind> { [] }
}

/// The settings common to all services.
public struct ServiceOptions: Settings {
    /// The name, unique in a master.
    @Setting("The service's name; by default the plugin's.", .notEmpty)
    public var name: String?

    /// Makes options with their defaults.
    public init() {}
}

/// A service as master.yaml declares it.
public typealias ServiceDeclaration = PluginDeclaration<any MasterService, ServiceOptions>

extension PluginDeclaration where P == any MasterService, Options == ServiceOptions {
    /// The name under which the state of the service is kept.
    public var name: String { options.name ?? key.name }
}

extension PluginKind<any MasterService, ServiceOptions> {
    /// Services other than reporters.
    public static var services: Self { Self("services", scope: .service) }
}

/// What a running service sees of the master and of the world.
public struct ServiceContext: Sendable {
    /// The service's name in this master.
    public let name: String
    /// Where notes of the service go; what is logged is masked.
    public let logger: Logger
    /// The wanted events from before the first build on, each after the store has committed it.
    ///
    /// A service that falls behind by more than a thousand events gets `.missed` in place of the
    /// newest ones. The sequence ends when the master shuts down; after a failure of the service
    /// it goes on where it was.
    public let events: EventSubscription
    private let host: any ServiceHost

    /// Makes a context on top of what carries out its requests.
    public init(name: String, logger: Logger, events: EventSubscription, host: any ServiceHost) {
        self.name = name
        self.logger = logger
        self.events = events
        self.host = host
    }

    /// Computes the value of a setting; it may refer to secrets alone.
    public func render<Value>(_ setting: Renderable<Value>) throws(RenderError) -> Value {
        try setting.render(in: RenderContext(secrets: host.secrets))
    }

    /// Computes the value of a setting that may have been left out.
    public func render<Value>(_ setting: Renderable<Value>?) throws(RenderError) -> Value? {
        guard let setting else { return nil }
        return try setting.render(in: RenderContext(secrets: host.secrets))
    }

    /// What replaces secrets in everything that is shown or stored.
    public var mask: SecretMask { host.secrets.mask }

    /// Submits builds.
    ///
    /// - Parameters:
    ///   - request: Which builders are to build what, and why.
    ///   - state: What is kept as the service's state in the same transaction, so that neither
    ///     is without the other; `nil` leaves the state as it is.
    /// - Returns: The buildset with its requests.
    /// - Throws: An error with a sentence: there is no such builder, the master shuts down, or
    ///   the store has failed.
    @discardableResult
    public func submit(
        _ request: BuildsetRequest, saving state: JSONValue? = nil
    ) async throws -> Submission {
        try await host.submit(request, saving: state)
    }

    /// What the service saved last, in this run or an earlier one; `nil` at first.
    ///
    /// - Throws: An error with a sentence when the store has failed.
    public func state() async throws -> JSONValue? {
        try await host.state()
    }

    /// Keeps a state for ``state()``, under the service's name.
    ///
    /// - Throws: An error with a sentence when the store has failed.
    public func save(_ state: JSONValue) async throws {
        try await host.save(state)
    }

    /// Sends an HTTP request in the session of the service.
    public func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        try await host.http.send(request, in: host.session)
    }

    /// Waits.
    ///
    /// - Throws: `CancellationError` when the service is to end.
    public func sleep(for duration: Duration) async throws {
        try await host.clock.sleep(for: duration)
    }
}

/// What carries out the requests of a running service: the runtime, or a stand-in in tests.
public protocol ServiceHost: Sendable {
    /// The secrets that settings may refer to.
    var secrets: SecretValues { get }
    /// The clock for waits.
    var clock: any Clock<Duration> { get }
    /// The client of the process.
    var http: HTTPClient { get }
    /// The session of the service.
    var session: HTTPSession { get }

    /// Submits builds, and keeps a state in the same transaction.
    func submit(_ request: BuildsetRequest, saving state: JSONValue?) async throws -> Submission
    /// The state that was kept last.
    func state() async throws -> JSONValue?
    /// Records a state.
    func save(_ state: JSONValue) async throws
}
