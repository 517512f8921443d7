/// What an `HTTPClient` does for every request.
public struct HTTPClientConfiguration: Sendable {
    /// The `User-Agent` sent unless a session or request has its own.
    public var userAgent: String
    /// The most transfers under way at once; more wait in the client's own queue.
    public var maximumInFlight: Int
    /// The most transfers under way to one scheme, host and port.
    public var maximumPerHost: Int
    /// Where `HTTPProxies.environment` looks; nil is the process's environment.
    public var environment: [String: String]?

    /// Makes a configuration; all parts have defaults.
    public init(
        userAgent: String = "Buildmaster/0.1", maximumInFlight: Int = 128, maximumPerHost: Int = 32,
        environment: [String: String]? = nil
    ) {
        self.userAgent = userAgent
        self.maximumInFlight = maximumInFlight
        self.maximumPerHost = maximumPerHost
        self.environment = environment
    }
}
