/// An HTTP request, which `HTTPClient.send` validates and sends.
public struct HTTPRequest: Sendable, Hashable {
    /// The default limit of a response body: 64 MiB.
    public static let defaultResponseLimit = 64 << 20

    /// The method.
    public var method: HTTPMethod
    /// The URL, `http` or `https`; a user and password in it are used for basic authentication.
    public var url: String {
        didSet { address = Self.parsed(url) }
    }
    /// The URL, parsed; what is wrong with it is said when the request is sent.
    private(set) var address: Result<HTTPAddress, HTTPAddress.Fault>
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

    /// Creates a request to a URL, which is parsed now.
    public init(
        _ method: HTTPMethod = .get, _ url: String, query: [HTTPPair] = [],
        headers: HTTPHeaders = [:], body: HTTPBody = .empty
    ) {
        self.init(method, url, Self.parsed(url), query, headers, body)
    }

    /// Creates a request to an address.
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

/// A request ready to be sent: validated, merged with the defaults, and with its body encoded.
struct OutgoingRequest: Sendable {
    var method: HTTPMethod
    var address: HTTPAddress
    var headers: HTTPHeaders
    let suppressedHeaders: [String]
    var body: OutgoingBody
    var cookies: [HTTPPair]
    var digest: HTTPAddress.UserInfo?
    let sensitiveHeaders: [String]
    let hasSensitiveBody: Bool

    let jar: CookieJar?
    let tls: HTTPTLS
    private let proxies: HTTPProxies
    private let environmentProxies: EnvironmentProxies
    var proxy: ProxyRoute?
    let redirects: HTTPRedirects
    let timeout: HTTPTimeout
    /// The deadline for the request and all its redirects.
    let deadline: ContinuousClock.Instant?
    let responseLimit: Int
    let cutsLongBody: Bool
    private let recordsRequestHeaders: Bool

    private let hiding: HTTPHiding?
    /// The address to show.
    var place: ShownAddress

    /// Merges the settings of request, session and client.
    ///
    /// - Throws: `HTTPError` if the request cannot be sent.
    init(
        _ request: HTTPRequest, session: HTTPSession?, client: HTTPClient, hiding: HTTPHiding?
    ) throws(HTTPError) {
        guard request.method.isValid else { throw .invalidMethod(request.method) }
        method = request.method
        address = try Self.address(of: request, hiding)
        self.hiding = hiding
        place = ShownAddress(address, hiding: hiding)
        sensitiveHeaders = request.sensitiveHeaders
        hasSensitiveBody = request.hasSensitiveBody
        suppressedHeaders = request.suppressedHeaders
        cookies = request.cookies
        jar = session?.jar
        tls = request.tls ?? session?.configuration.tls ?? HTTPTLS()
        proxies = request.proxies ?? session?.configuration.proxies ?? .environment
        environmentProxies = client.environmentProxies
        redirects = request.redirects
        timeout = request.timeout
        deadline = request.timeout.total.map { ContinuousClock.now + $0 }
        responseLimit = request.responseLimit
        cutsLongBody = request.cutsLongBody
        recordsRequestHeaders = request.recordsRequestHeaders
        var headers: HTTPHeaders = ["User-Agent": client.configuration.userAgent]
        if let session { headers = headers.merging(session.configuration.headers) }
        headers = headers.merging(request.headers)
        for name in suppressedHeaders { headers.remove(name) }
        body = try OutgoingBody(request.body, headers: &headers, suppressed: suppressedHeaders)
        self.headers = headers
        try authenticate(request, session: session?.configuration)
        try check()
        try chooseProxy()
    }

    /// The address of a request, with its query.
    private static func address(
        of request: HTTPRequest, _ hiding: HTTPHiding?
    ) throws(HTTPError) -> HTTPAddress {
        do throws(HTTPAddress.Fault) {
            guard !request.query.isEmpty else { return try request.address.get() }
            return try HTTPAddress(FormEncoding.append(request.query, to: request.url))
        } catch {
            let isHidden = hiding.map { $0(request.url) != request.url } ?? false
            throw HTTPError(
                isHidden && error.code == .unsupportedScheme ? HTTPAddress.unsupported("…") : error)
        }
    }

    /// Whether the transfer sees every byte, which takes time.
    ///
    /// With a proxy, this is the only way to distinguish the tunnel from the request.
    var isObserved: Bool { recordsRequestHeaders || proxy != nil }

    /// The server, and the proxy if any, for messages.
    var route: String {
        proxy.map { "\(place.authority) through the proxy \($0.authority)" } ?? place.authority
    }

    /// The `Cookie` header for the request's own cookies.
    var cookieText: String? {
        guard !cookies.isEmpty else { return nil }
        return cookies.map { "\($0.name)=\($0.value)" }.joined(separator: "; ")
    }

    private mutating func authenticate(
        _ request: HTTPRequest, session: HTTPSessionConfiguration?
    ) throws(HTTPError) {
        let ofAddress = address.userInfo.map {
            HTTPAuthentication.basic(user: $0.user, password: $0.password)
        }
        let ofHeader = request.headers.contains("Authorization")
        let ambient = ofHeader ? nil : ofAddress ?? session?.authentication
        guard let authentication = request.authentication ?? ambient else { return }
        headers.remove("Authorization")
        switch authentication {
        case .basic(let user, let password):
            guard !user.contains(":") else {
                throw HTTPError(
                    .invalidHeader, "a user name cannot have a colon in basic authentication")
            }
            headers.add("Authorization", "Basic \(Base64.encode("\(user):\(password)"))")
        case .digest(let user, let password):
            digest = HTTPAddress.UserInfo(user: user, password: password)
        case .bearer(let token):
            guard HTTPSyntax.isHeaderValue(token) else { throw .invalidSecret("the bearer token") }
            headers.add("Authorization", "Bearer \(token)")
        }
    }

    private mutating func chooseProxy() throws(HTTPError) {
        proxy = try ProxyRoute.choose(
            proxies, for: address, environment: environmentProxies, hiding: hiding)
    }

    private func check() throws(HTTPError) {
        if method == .head, body.lengthText != "0" { throw .bodyOfHead }
        try headers.validate()
        if let name = suppressedHeaders.first(where: { !HTTPSyntax.isToken($0) }) {
            throw .invalidHeader(name: name)
        }
        if headers.contains("Transfer-Encoding") { throw .reservedHeader("Transfer-Encoding") }
        for length in headers.values("Content-Length") where length != body.lengthText {
            throw .reservedHeader("Content-Length")
        }
        for cookie in cookies {
            guard HTTPSyntax.isToken(cookie.name), HTTPSyntax.isHeaderValue(cookie.value),
                !cookie.value.contains(";")
            else { throw .invalidCookie(cookie.name) }
        }
        if let digest, !Self.isText(digest.user) || !Self.isText(digest.password) {
            throw .invalidSecret("the user or password of digest authentication")
        }
    }

    private static func isText(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

extension OutgoingRequest {
    /// Whether a response with this status is a redirect.
    static func isRedirect(status: Int) -> Bool {
        switch status {
        case 301, 302, 303, 307, 308: true
        default: false
        }
    }

    /// The location to which a response redirects the request, or `nil` if the response is final.
    func redirection(_ status: Int, _ headers: HTTPHeaders) -> String? {
        guard redirects != .none, Self.isRedirect(status: status) else { return nil }
        return headers["Location"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The request to send after a redirect, or `nil` if the response is final.
    ///
    /// - Throws: `HTTPError` with the code `badRedirect` if the client does not follow the
    ///   redirect.
    func redirected(by exchange: HTTPExchange) throws(HTTPError) -> OutgoingRequest? {
        guard let location = redirection(exchange.status, exchange.headers) else { return nil }
        var next = self
        do throws(HTTPAddress.Fault) {
            next.address = try address.resolving(location)
        } catch {
            throw .badRedirect("\(place.authority) redirects to a URL that \(error.reason)")
        }
        next.place = ShownAddress(next.address, hiding: hiding)
        next.changeMethod(status: exchange.status)
        if !next.address.mayKeepCredentials(of: address) {
            guard !hasSensitiveBody || next.body.isNone else {
                throw .badRedirect(
                    "\(place.authority) redirects to \(next.place.authority) with status "
                        + "\(exchange.status), and the body, which holds a secret, is not sent to "
                        + "another host; if it belongs there, use that URL")
            }
            next.dropCredentials()
        }
        try next.chooseProxy()
        return next
    }

    private mutating func changeMethod(status: Int) {
        let changed: HTTPMethod? =
            switch status {
            case 301 where method == .post: .get
            case 302 where method != .head, 303 where method != .head: .get
            default: nil
            }
        guard let changed, changed != method else { return }
        method = changed
        body = .none
        headers = HTTPHeaders(
            headers.filter { !$0.name.lowercased().hasPrefix("content-") && !isExpect($0.name) })
    }

    private mutating func dropCredentials() {
        for name in ["Authorization", "Proxy-Authorization", "Cookie", "Host"] + sensitiveHeaders {
            headers.remove(name)
        }
        cookies = []
        digest = nil
    }

    private func isExpect(_ name: String) -> Bool {
        HTTPSyntax.isSameName(name, "Expect")
    }
}
