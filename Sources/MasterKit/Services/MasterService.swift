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
    /// Services that are no reporters.
    public static var services: Self { Self("services", scope: .service) }
}
