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
        let url = FormEncoding.append(request.query, to: request.url)
        do throws(HTTPAddress.Fault) {
            address = try client.addresses.address(url)
        } catch {
            let isHidden = hiding.map { $0(url) != url } ?? false
            throw HTTPError(
                isHidden && error.code == .unsupportedScheme ? HTTPAddress.unsupported("…") : error)
        }
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

    /// The request to send after a redirect, or `nil` if the response is final.
    ///
    /// - Throws: `HTTPError` with the code `badRedirect` if the client does not follow the
    ///   redirect.
    func redirected(by answer: HTTPExchange) throws(HTTPError) -> OutgoingRequest? {
        guard redirects != .none, Self.isRedirect(status: answer.status),
            let location = answer.headers["Location"], !location.isEmpty
        else { return nil }
        var next = self
        do throws(HTTPAddress.Fault) {
            next.address = try address.resolving(location)
        } catch {
            throw .badRedirect("\(place.authority) redirects to a URL that \(error.reason)")
        }
        next.place = ShownAddress(next.address, hiding: hiding)
        next.changeMethod(status: answer.status)
        if !next.address.mayKeepCredentials(of: address) {
            guard !hasSensitiveBody || next.body.isNone else {
                throw .badRedirect(
                    "\(place.authority) redirects to \(next.place.authority) with status "
                        + "\(answer.status), and the body, which holds a secret, is not sent to "
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
