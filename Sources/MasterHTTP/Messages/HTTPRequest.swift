/// One request, as a value; `HTTPClient.send` checks it and sends it.
public struct HTTPRequest: Sendable, Hashable {
    /// The most bytes of answer kept unless a request says otherwise: 64 MiB.
    public static let defaultResponseLimit = 64 << 20

    /// The method.
    public var method: HTTPMethod
    /// The address, `http` or `https`; a user and password in it are used as basic authentication.
    public var url: String
    /// Parameters appended to the query the address has.
    public var query: [HTTPPair]
    /// Headers, in place of the session's and the client's of the same name.
    public var headers: HTTPHeaders
    /// Names of headers that the session or the client would add, and shall not.
    public var suppressedHeaders: [String]
    /// Names of headers that are dropped, as `Authorization` is, when a redirect leaves the host.
    public var sensitiveHeaders: [String]
    /// Whether the body holds a secret: a redirect that would take it to another host is an error.
    public var hasSensitiveBody: Bool
    /// What is sent.
    public var body: HTTPBody
    /// Cookies sent with this request besides the session's; of the same name both are sent.
    public var cookies: [HTTPPair]
    /// How the sender is proved; nil takes the session's, or else the address's.
    public var authentication: HTTPAuthentication?
    /// How long it may take.
    public var timeout: HTTPTimeout
    /// Whether redirects are followed.
    public var redirects: HTTPRedirects
    /// Through which proxy; nil takes the session's.
    public var proxies: HTTPProxies?
    /// What is asked of the server's certificate; nil takes the session's.
    public var tls: HTTPTLS?
    /// The most bytes of an answer's body, counted after decompression; more is an error.
    public var responseLimit: Int
    /// Whether a longer body is cut at the limit instead, for an answer whose status says it all.
    public var cutsLongBody: Bool
    /// Whether `HTTPExchange.requestHeaders` tells what was sent; without, a request costs less.
    public var recordsRequestHeaders: Bool

    /// Makes a request; all but method and address have defaults.
    public init(
        _ method: HTTPMethod = .get, _ url: String, query: [HTTPPair] = [],
        headers: HTTPHeaders = [:], body: HTTPBody = .empty
    ) {
        self.method = method
        self.url = url
        self.query = query
        self.headers = headers
        self.body = body
        suppressedHeaders = []
        sensitiveHeaders = []
        hasSensitiveBody = false
        cookies = []
        authentication = nil
        timeout = HTTPTimeout()
        redirects = .follow
        proxies = nil
        tls = nil
        responseLimit = Self.defaultResponseLimit
        cutsLongBody = false
        recordsRequestHeaders = true
    }
}
