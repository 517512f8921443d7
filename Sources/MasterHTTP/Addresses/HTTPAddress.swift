import CLibCurl

/// An `http` or `https` address that was taken apart and found good.
struct HTTPAddress: Sendable, Equatable {
    /// A user and password that stood in the address.
    struct UserInfo: Sendable, Equatable {
        let user: String
        let password: String
    }

    /// The longest address taken, in bytes.
    static let longest = 64 << 10

    /// The address as it is asked: encoded, without user, password and fragment.
    let text: String
    /// The address as it was given.
    let written: String
    /// `http` or `https`.
    let scheme: String
    /// The host, in small letters of ASCII; an IPv6 address in brackets.
    let host: String
    /// The port, also when the address leaves it out.
    let port: Int
    /// Scheme, host and port.
    let origin: String
    /// The user and password that stood in it.
    let userInfo: UserInfo?

    /// Host and port, for messages.
    var authority: String { "\(host):\(port)" }

    /// Takes an address apart.
    init(_ text: String) throws(HTTPError) {
        try Self.check(text)
        let url = try CurlURL()
        let result = url.set(
            text.quotedAsURL, flags: CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME)
        guard result == CURLUE_OK else { throw .invalidURL(Self.complaint(about: result)) }
        try self.init(url, written: text)
    }

    /// The address that a `Location` header leads to from here.
    func resolving(_ location: String) throws(HTTPError) -> HTTPAddress {
        guard location.utf8.count <= Self.longest else {
            throw .badRedirect("a URL of more than 64 KiB")
        }
        guard HTTPSyntax.isHeaderValue(location) else {
            throw .badRedirect("a URL with control characters")
        }
        // The same place; libcurl 7.88 would drop the last part of the path.
        if location.hasPrefix("#") { return self }
        let url = try CurlURL()
        let flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE
        guard url.set(text, flags: flags) == CURLUE_OK,
            url.set(location.quotedAsURL, flags: flags) == CURLUE_OK
        else { throw .badRedirect("an invalid URL") }
        do {
            return try HTTPAddress(url, written: written(resolving: location))
        } catch {
            throw .badRedirect("a URL that cannot be used: \(error.message)")
        }
    }

    /// A location as it was written, behind what it leaves out.
    private func written(resolving location: String) -> String {
        if location.firstRange(ofASCII: "://") != nil { return location }
        if location.hasPrefix("//") { return "\(scheme):\(location)" }
        let start = written.firstRange(ofASCII: "://").map { written.index($0, offsetBy: 3) }
        let origin =
            written[..<(start ?? written.startIndex)]
            + written[(start ?? written.startIndex)...].prefix { !"/?#".contains($0) }
        return origin + (location.hasPrefix("/") ? "" : "/") + location
    }

    /// Whether credentials given for the other address may be sent to this one as well.
    ///
    /// They may when scheme, host and port are the same, and from `http` on port 80 to `https` on
    /// port 443 of the same host.
    func mayKeepCredentials(of other: HTTPAddress) -> Bool {
        if origin == other.origin { return true }
        return host == other.host && other.scheme == "http" && other.port == 80
            && scheme == "https" && port == 443
    }

    private init(_ url: borrowing CurlURL, written: String) throws(HTTPError) {
        let scheme = url.part(CURLUPART_SCHEME) ?? ""
        guard scheme == "http" || scheme == "https" else { throw .unsupportedScheme(scheme) }
        guard let host = url.part(CURLUPART_HOST), !host.isEmpty,
            let port = url.part(CURLUPART_PORT, flags: CURLU_DEFAULT_PORT).flatMap({ Int($0) }),
            port > 0
        else { throw .invalidURL("the URL has no host, or port 0") }
        let ascii = try InternationalName.ascii(host)
        if ascii != host { try url.set(CURLUPART_HOST, ascii) }
        userInfo = Self.userInfo(of: url)
        url.remove(CURLUPART_USER)
        url.remove(CURLUPART_PASSWORD)
        url.remove(CURLUPART_OPTIONS)
        url.remove(CURLUPART_FRAGMENT)
        guard let text = url.part(CURLUPART_URL) else { throw .outOfMemory }
        self.text = text
        self.scheme = scheme
        self.written = written
        self.host = ascii.lowercased()
        self.port = port
        origin = "\(scheme)://\(self.host):\(port)"
    }

    private static func userInfo(of url: borrowing CurlURL) -> UserInfo? {
        guard let user = url.part(CURLUPART_USER, flags: CURLU_URLDECODE) else { return nil }
        let password = url.part(CURLUPART_PASSWORD, flags: CURLU_URLDECODE) ?? ""
        return UserInfo(user: user, password: password)
    }
}
