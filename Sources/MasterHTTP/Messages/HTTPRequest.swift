/// One request, as a value; `HTTPClient.send` checks it and sends it.
public struct HTTPRequest: Sendable, Hashable {
    /// The most bytes of answer kept unless a request says otherwise: 64 MiB.
    public static let defaultResponseLimit = 64 << 20

    /// The method.
    public var method: HTTPMethod
    /// The URL, `http` or `https`; a user and password in it are used as basic authentication.
    public var url: String {
        didSet { address = Self.parsed(url) }
    }
    /// The URL, parsed; what is wrong with it is said when the request is sent.
    private(set) var address: Result<HTTPAddress, HTTPAddress.Fault>
    /// Parameters appended to the URL's query.
    public var query: [HTTPPair]
    /// Headers, in place of the session's and the client's of the same name.
    public var headers: HTTPHeaders
    /// Names of headers that the session or the client must not add.
    public var suppressedHeaders: [String]
    /// Names of headers that are dropped, as `Authorization` is, when a redirect leaves the host.
    public var sensitiveHeaders: [String]
    /// Whether the body holds a secret: a redirect that would take it to another host is an error.
    public var hasSensitiveBody: Bool
    /// The body.
    public var body: HTTPBody
    /// Cookies sent with this request besides the session's; of the same name both are sent.
    public var cookies: [HTTPPair]
    /// Credentials; `nil` takes those of the URL or the session.
    public var authentication: HTTPAuthentication?
    /// How long it may take.
    public var timeout: HTTPTimeout
    /// Whether redirects are followed.
    public var redirects: HTTPRedirects
    /// Which proxy to use; `nil` takes the session's.
    public var proxies: HTTPProxies?
    /// TLS settings; `nil` takes the session's.
    public var tls: HTTPTLS?
    /// The most bytes of an answer's body, counted after decompression; more is an error.
    public var responseLimit: Int
    /// Whether a longer body is truncated at the limit instead, where only the status matters.
    public var cutsLongBody: Bool
    /// Whether `HTTPExchange.requestHeaders` is recorded; a request costs less without.
    public var recordsRequestHeaders: Bool

    /// Makes a request to a URL that is parsed now; all but method and URL have defaults.
    public init(
        _ method: HTTPMethod = .get, _ url: String, query: [HTTPPair] = [],
        headers: HTTPHeaders = [:], body: HTTPBody = .empty
    ) {
        self.init(method, url, Self.parsed(url), query, headers, body)
    }

    /// Makes a request to an address; all but method and address have defaults.
    public init(
        _ method: HTTPMethod = .get, _ address: HTTPAddress, query: [HTTPPair] = [],
        headers: HTTPHeaders = [:], body: HTTPBody = .empty
    ) {
        self.init(method, address.text, .success(address), query, headers, body)
    }

    private static func parsed(_ url: String) -> Result<HTTPAddress, HTTPAddress.Fault> {
        Result { () throws(HTTPAddress.Fault) in try HTTPAddress(url) }
    }

    private init(
        _ method: HTTPMethod, _ url: String, _ address: Result<HTTPAddress, HTTPAddress.Fault>,
        _ query: [HTTPPair], _ headers: HTTPHeaders, _ body: HTTPBody
    ) {
        self.method = method
        self.url = url
        self.address = address
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

/// The method of a request: `GET`, `POST`, or any other token a server understands.
///
/// Any text can be written; `HTTPClient` refuses one that is not a token, and `CONNECT`, before
/// anything is sent.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The method as it is sent.
    public let rawValue: String

    /// Makes a method of its name, which is case-sensitive.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Asks for a resource.
    public static let get = HTTPMethod(rawValue: "GET")
    /// Hands a body to a resource.
    public static let post = HTTPMethod(rawValue: "POST")
    /// Stores a resource.
    public static let put = HTTPMethod(rawValue: "PUT")
    /// Removes a resource.
    public static let delete = HTTPMethod(rawValue: "DELETE")
    /// Asks for the headers of a resource alone.
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// Asks what can be done with a resource.
    public static let options = HTTPMethod(rawValue: "OPTIONS")
    /// Changes a part of a resource.
    public static let patch = HTTPMethod(rawValue: "PATCH")

    /// The name as it is sent.
    public var description: String { rawValue }

    /// Whether the name may stand in a request line.
    public var isValid: Bool {
        HTTPSyntax.isToken(rawValue) && rawValue != "CONNECT"
    }

    /// Whether a request without a body says so with `Content-Length: 0`.
    var announcesEmptyBody: Bool {
        self == .post || self == .put || self == .patch
    }
}

/// What to do with a redirect.
public enum HTTPRedirects: Sendable, Hashable {
    /// Follow at most this many; one more is an error.
    case follow(limit: Int)
    /// Return the answer as it is.
    case none

    /// Follows at most thirty.
    public static let follow = HTTPRedirects.follow(limit: 30)
}

/// How long a request may take.
public struct HTTPTimeout: Sendable, Hashable {
    /// From the start of a request until the connection is made, name lookup and TLS included.
    public var connect: Duration
    /// With no byte either way, once the connection is made.
    public var silence: Duration
    /// For everything: waiting for a free slot, all redirects, the whole body. `nil` is no limit.
    public var total: Duration?

    /// Without arguments: 10 s to connect, 60 s of silence, no total.
    public init(
        connect: Duration = .seconds(10), silence: Duration = .seconds(60),
        total: Duration? = nil
    ) {
        self.connect = connect
        self.silence = silence
        self.total = total
    }
}
