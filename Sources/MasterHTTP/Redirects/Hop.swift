/// One request of a journey, ready to be sent: headers merged, body encoded.
struct Hop: Sendable {
    var method: HTTPMethod
    var address: HTTPAddress
    var headers: HTTPHeaders
    var suppressedHeaders: [String]
    var body: TransferBody
    var cookies: [HTTPPair]
    var digest: HTTPAddress.UserInfo?
    let sensitiveHeaders: [String]
    let hasSensitiveBody: Bool
    let hiding: HTTPHiding?
    /// How the address is shown.
    var place: ShownAddress

    /// Merges what request, session and client say.
    ///
    /// - Throws: `HTTPError` for what cannot be sent.
    init(
        _ request: HTTPRequest, session: HTTPSessionConfiguration?, client: HTTPClient,
        hiding: HTTPHiding?
    ) throws(HTTPError) {
        guard request.method.isValid else { throw .invalidMethod(request.method) }
        method = request.method
        let url = FormEncoding.append(request.query, to: request.url)
        do throws(HTTPError) {
            address = try client.addresses.address(url)
        } catch  where error.code == .unsupportedScheme && hiding.map({ $0(url) != url }) ?? false {
            throw .unsupportedScheme("…")
        }
        self.hiding = hiding
        place = ShownAddress(address, hiding: hiding)
        sensitiveHeaders = request.sensitiveHeaders
        hasSensitiveBody = request.hasSensitiveBody
        suppressedHeaders = request.suppressedHeaders
        cookies = request.cookies
        var headers: HTTPHeaders = ["User-Agent": client.configuration.userAgent]
        if let session { headers = headers.merging(session.headers) }
        headers = headers.merging(request.headers)
        for name in request.suppressedHeaders { headers.remove(name) }
        body = try TransferBody(request.body, headers: &headers, suppressed: suppressedHeaders)
        self.headers = headers
        try authenticate(request, session: session)
        try check()
    }

    /// The `Cookie` text of the request's own cookies.
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
