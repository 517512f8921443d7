import CLibCurl

/// The proxy a request goes through.
struct ProxyRoute: Sendable, Equatable {
    /// The address as libcurl takes it; may hold a password.
    let url: String
    /// Host and port, for messages.
    let authority: String

    private static let schemes: Set = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    /// Checks the address of a proxy; one without a scheme is `http`.
    init(_ url: String, hiding: HTTPHiding? = nil) throws(HTTPError) {
        let parts = try CurlURL()
        let flags = CURLU_NON_SUPPORT_SCHEME
        let whole = url.firstRange(ofASCII: "://") == nil ? "http://\(url)" : url
        guard HTTPSyntax.isHeaderValue(whole), parts.set(whole, flags: flags) == CURLUE_OK,
            let scheme = parts.part(CURLUPART_SCHEME), let host = parts.part(CURLUPART_HOST)
        else { throw HTTPError(.proxy, "the URL of the proxy is invalid; write http://host:port") }
        let port = parts.part(CURLUPART_PORT) ?? (scheme == "https" ? "443" : "1080")
        authority =
            ShownAddress(written: url, url: "", authority: "\(host):\(port)", hiding: hiding)
            .authority
        guard Self.schemes.contains(scheme) else {
            throw HTTPError(
                .proxy,
                "the proxy \(authority) has an unknown scheme; http, https, socks4, socks4a, "
                    + "socks5 and socks5h can be used"
            )
        }
        let ascii = try InternationalName.ascii(host)
        if ascii != host { try parts.set(CURLUPART_HOST, ascii) }
        self.url = ascii == host ? whole : parts.part(CURLUPART_URL) ?? whole
    }

    /// The proxy for an address, or nil to go there directly.
    static func choose(
        _ proxies: HTTPProxies, for address: HTTPAddress, environment: EnvironmentProxies,
        hiding: HTTPHiding?
    ) throws(HTTPError) -> ProxyRoute? {
        let url: String? =
            switch proxies {
            case .none: nil
            case .environment: environment.proxy(for: address)
            case .map(let map): lookUp(address, in: map)
            }
        guard let url, !url.isEmpty else { return nil }
        return try ProxyRoute(url, hiding: hiding)
    }

    private static func lookUp(_ address: HTTPAddress, in map: [String: String]) -> String? {
        let map = Dictionary(
            map.map { (InternationalName.asciiKey($0.key), $0.value) }, uniquingKeysWith: { $1 })
        return map["\(address.scheme)://\(address.host)"] ?? map[address.scheme]
            ?? map["all://\(address.host)"] ?? map["all"]
    }
}
