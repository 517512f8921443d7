public import MasterKit

/// A stock `buildbot-worker` process, which connects to the master.
public struct RemoteBuildWorker: DeclaredWorker {
    /// `Worker`.
    public static var pluginName: String { "Worker" }
    /// What the plugin does.
    public static var summary: String {
        "A buildbot-worker process on another machine, which connects to 'protocols'."
    }

    /// The password that the process sends.
    @Setting("The password that it was created with.", .example("!Secret linux1"))
    public var password: Renderable<String>

    /// How often a silent worker is asked whether it is there.
    @Setting(
        "How often it is asked whether it is there; it is lost if it is silent for twice as long.",
        .within(.seconds(1)...(.seconds(86_400))))
    public var keepalive: Duration = .seconds(60)

    /// How long it may be disconnected before it counts as missing.
    @Setting(
        "How long it may be disconnected before it counts as missing.", .named("missing_timeout"),
        .within(.milliseconds(1)...(.seconds(31_536_000))))
    public var missingTimeout: Duration = .seconds(3600)

    /// Creates a worker.
    public init() {}

    /// By a connection from the process.
    public var access: WorkerAccess {
        .remote(
            RemoteAccess(
                password: password, keepalive: keepalive, missingTimeout: missingTimeout))
    }

    /// Warns of a password that everyone can read.
    public func check(_ settings: SettingsCheck) {
        if password.constant != nil {
            settings.warning(
                "the password is readable for everyone who can read the file; write !Secret NAME",
                at: "password")
        }
    }
}

/// The machine of the master.
public struct LocalBuildWorker: DeclaredWorker {
    /// `Local`.
    public static var pluginName: String { "Local" }
    /// What the plugin does.
    public static var summary: String { "The machine of the master." }

    /// Creates a worker.
    public init() {}

    /// By the master itself.
    public var access: WorkerAccess { .local }
}
