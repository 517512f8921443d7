/// A worker as a file declares it, listed under `workers`.
///
/// It only tells how the master reaches the machine; a ``Worker`` then runs commands there.
public protocol DeclaredWorker: Plugin where Options == WorkerOptions {
    /// How the master reaches it.
    var access: WorkerAccess { get }
}

extension DeclaredWorker {
    /// The namespace `workers`.
    public static var namespace: PluginNamespace { PluginKind.workers.namespace }
}

/// How a master reaches a worker.
public enum WorkerAccess: Sendable {
    /// The master runs commands on its own machine.
    case local
    /// A program on the worker's machine connects to the master.
    case remote(RemoteAccess)
}

/// What a program that connects as a worker needs, and how it is watched.
public struct RemoteAccess: Sendable {
    /// The password that the program sends.
    public var password: Renderable<String>
    /// How often a silent worker is asked whether it is there.
    public var keepalive: Duration
    /// How long it may be disconnected before it counts as missing.
    public var missingTimeout: Duration

    /// Creates an access.
    public init(password: Renderable<String>, keepalive: Duration, missingTimeout: Duration) {
        self.password = password
        self.keepalive = keepalive
        self.missingTimeout = missingTimeout
    }
}

/// The settings common to all workers.
public struct WorkerOptions: Settings {
    /// The name, unique among workers.
    @Setting("The name, unique among workers.", .notEmpty)
    public var name: String

    /// The number of builds at a time.
    @Setting("The number of builds at a time.", .named("max_builds"), .within(1...1024))
    public var maxBuilds: Int?

    /// Properties of the builds that run there.
    @Setting("Properties of the builds that run there.")
    public var properties = JSONObject()

    /// Properties of the builds that run there, unless they are set elsewhere.
    @Setting("Properties of the builds that run there, unless they are set elsewhere.")
    public var defaultProperties = JSONObject()

    /// Labels that builders choose workers by.
    @Setting("Labels that builders choose workers by, in 'workertags'.")
    public var tags: [String] = []

    /// Creates the options with their defaults.
    public init() {}

    /// Warns of properties that every build sets itself.
    public func check(_ settings: SettingsCheck) {
        Properties.warnOfFixed(properties, in: settings)
    }

    /// A hint for a setting that needs changes.
    public static func hint(forUnknown name: String) -> String? {
        switch name {
        case "keepalive_interval": "write 'keepalive'"
        case "notify_on_missing":
            "workers send no mail; a service written in Swift can follow the event 'worker.missing'"
        case "machine_name", "build_wait_timeout": "this version starts no machines; remove it"
        case "locks": "write 'locks' in builders and steps"
        default: nil
        }
    }
}

extension WorkerOptions: SettingHints {}

/// A worker as master.yaml declares it.
package typealias WorkerDeclaration = PluginDeclaration<any DeclaredWorker, WorkerOptions>

extension PluginDeclaration where P == any DeclaredWorker, Options == WorkerOptions {
    /// The name, unique among workers.
    package var name: String { options.name }

    /// What a program that connects needs; `nil` for this machine.
    package var remote: RemoteAccess? {
        if case .remote(let access) = plugin.access { access } else { nil }
    }
}

extension PluginKind<any DeclaredWorker, WorkerOptions> {
    /// The plugin kind for workers.
    public static var workers: Self { Self("workers", scope: .service) }
}
