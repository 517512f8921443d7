/// An HTTP request, which `HTTPClient.send` validates and sends.
public struct HTTPRequest: Sendable, Hashable {
    /// The default limit of a response body: 64 MiB.
    public static let defaultResponseLimit = 64 << 20

    /// The method.
    public var method: HTTPMethod
    /// The URL, `http` or `https`; a user and password in it are used for basic authentication.
    public var url: String
    /// Parameters to append to the URL's query.
    public var query: [HTTPPair]
    /// Headers, which replace those of the session and the client with the same names.
    public var headers: HTTPHeaders
    /// Names of headers that the session and the client must not add.
    public var suppressedHeaders: [String]
    /// Names of additional headers to drop, like `Authorization`, when a redirect leads to another
    /// host.
    public var sensitiveHeaders: [String]
    /// Whether the body contains a secret; redirecting it to another host is an error.
    public var hasSensitiveBody: Bool
    /// The body.
    public var body: HTTPBody
    /// Cookies to send in addition to the session's; cookies with the same name are both sent.
    public var cookies: [HTTPPair]
    /// Credentials, or `nil` for those of the URL or the session.
    public var authentication: HTTPAuthentication?
    /// Limits on the duration of the request.
    public var timeout: HTTPTimeout
    /// Whether to follow redirects.
    public var redirects: HTTPRedirects
    /// The proxies to use, or `nil` for those of the session.
    public var proxies: HTTPProxies?
    /// TLS settings, or `nil` for those of the session.
    public var tls: HTTPTLS?
    /// The maximum size of a response body in bytes, after decompression; exceeding it is an error.
    public var responseLimit: Int
    /// Whether to truncate longer bodies at the limit instead, if only the status matters.
    public var cutsLongBody: Bool
    /// Whether to record `HTTPExchange.requestHeaders`; requests are faster without.
    public var recordsRequestHeaders: Bool

    /// Creates a request.
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

/// A request method: `GET`, `POST`, or any other token that the server supports.
///
/// Any text is accepted here; `HTTPClient` rejects `CONNECT` and anything that is not a token
/// before sending.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The method as sent.
    public let rawValue: String

    /// Creates a method from its case-sensitive name.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Requests a resource.
    public static let get = HTTPMethod(rawValue: "GET")
    /// Submits a body to a resource.
    public static let post = HTTPMethod(rawValue: "POST")
    /// Stores a resource.
    public static let put = HTTPMethod(rawValue: "PUT")
    /// Deletes a resource.
    public static let delete = HTTPMethod(rawValue: "DELETE")
    /// Requests only the headers of a resource.
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// Requests the methods supported by a resource.
    public static let options = HTTPMethod(rawValue: "OPTIONS")
    /// Modifies part of a resource.
    public static let patch = HTTPMethod(rawValue: "PATCH")

    /// The method as sent.
    public var description: String { rawValue }

    /// Whether the method can be sent in a request.
    public var isValid: Bool {
        HTTPSyntax.isToken(rawValue) && rawValue != "CONNECT"
    }

    /// Whether a request without a body sends `Content-Length: 0`.
    var announcesEmptyBody: Bool {
        self == .post || self == .put || self == .patch
    }
}

/// How to handle redirects.
public enum HTTPRedirects: Sendable, Hashable {
    /// Follow up to this many; exceeding the limit is an error.
    case follow(limit: Int)
    /// Return the redirect response.
    case none

    /// Follow up to thirty.
    public static let follow = HTTPRedirects.follow(limit: 30)
}

/// Time limits of a request.
public struct HTTPTimeout: Sendable, Hashable {
    /// The time to establish the connection, including name resolution and TLS.
    public var connect: Duration
    /// The time without sending or receiving a byte, once connected.
    public var silence: Duration
    /// The total time, including waiting for a free slot, all redirects, and the complete body;
    /// `nil` means no limit.
    public var total: Duration?

    /// Creates timeouts, by default 10 s to connect, 60 s of silence, and no total limit.
    public init(
        connect: Duration = .seconds(10), silence: Duration = .seconds(60),
        total: Duration? = nil
    ) {
        self.connect = connect
        self.silence = silence
        self.total = total
    }
}
