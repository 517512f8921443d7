/// What an `HTTPSession` adds to its requests, unless they have it themselves.
public struct HTTPSessionConfiguration: Sendable {
    /// Headers; a request's header of the same name wins.
    public var headers: HTTPHeaders
    /// How the sender is proved.
    public var authentication: HTTPAuthentication?
    /// What is asked of servers' certificates.
    public var tls: HTTPTLS
    /// Through which proxy requests go.
    public var proxies: HTTPProxies

    /// Makes a configuration; all parts have defaults.
    public init(
        headers: HTTPHeaders = [:], authentication: HTTPAuthentication? = nil,
        tls: HTTPTLS = HTTPTLS(), proxies: HTTPProxies = .environment
    ) {
        self.headers = headers
        self.authentication = authentication
        self.tls = tls
        self.proxies = proxies
    }
}
