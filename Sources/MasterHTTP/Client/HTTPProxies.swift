import CLibCurl
import Glibc

/// The proxies for requests.
public enum HTTPProxies: Sendable, Hashable {
    /// Those set by `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` in the environment.
    case environment
    /// No proxy.
    case none
    /// A proxy for each scheme, host or both; the most specific key wins.
    ///
    /// The keys are `https://host`, `https`, `all://host`, `all`; the values are proxy URLs
    /// (`http`, `https`, `socks4`, `socks4a`, `socks5`, `socks5h`). Requests that match no key, or
    /// a key with an empty value, do not use a proxy.
    case map([String: String])
}

/// The proxy for a request.
struct ProxyRoute: Sendable, Equatable {
    /// The proxy's URL for libcurl; it may contain a password.
    let url: String
    /// Host and port, for messages.
    let authority: String

    private static let schemes: Set = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"]

    /// Validates a proxy URL; without a scheme, it is `http`.
    init(_ url: String, hiding: HTTPHiding? = nil) throws(HTTPError) {
        do throws(HTTPAddress.Fault) {
            try self.init(parsing: url, hiding: hiding)
        } catch {
            throw HTTPError(.proxy, "the URL of the proxy \(error.reason)")
        }
    }

    private init(parsing written: String, hiding: HTTPHiding?) throws(HTTPAddress.Fault) {
        let parts = try CurlURL()
        let whole = written.firstRange(ofASCII: "://") == nil ? "http://\(written)" : written
        guard HTTPSyntax.isHeaderValue(whole),
            parts.set(whole, flags: CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK,
            let scheme = parts.part(CURLUPART_SCHEME), let host = parts.part(CURLUPART_HOST)
        else { throw .invalid("is invalid; write http://host:port") }
        let port = parts.part(CURLUPART_PORT) ?? (scheme == "https" ? "443" : "1080")
        authority =
            ShownAddress(written: written, url: "", authority: "\(host):\(port)", hiding: hiding)
            .authority
        guard Self.schemes.contains(scheme) else {
            throw .invalid(
                "\(authority) has an unknown scheme; use http, https, socks4, socks4a, socks5 or "
                    + "socks5h")
        }
        let ascii = try InternationalName.ascii(host)
        if ascii != host { try parts.set(CURLUPART_HOST, ascii) }
        url = ascii == host ? whole : parts.part(CURLUPART_URL) ?? whole
    }

    /// Chooses the proxy for an address, or `nil` for a direct connection.
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

/// The proxy settings of an environment, read once.
struct EnvironmentProxies: Sendable {
    private let byScheme: [String: String]
    private let fallback: String?
    private let exceptions: NoProxyList

    /// Reads the given environment, or that of the process if `nil`.
    init(_ environment: [String: String]?) {
        let read: (String) -> String? = { name in
            let value =
                if let environment { environment[name] } else { Self.variable(name) }
            return value.flatMap { $0.isEmpty ? nil : $0 }
        }
        let either: (String) -> String? = { read($0) ?? read($0.uppercased()) }
        var byScheme: [String: String] = [:]
        // Under CGI, HTTP_PROXY is a header set by the client.
        byScheme["http"] = read("REQUEST_METHOD") == nil ? either("http_proxy") : read("http_proxy")
        byScheme["https"] = either("https_proxy")
        self.byScheme = byScheme
        fallback = either("all_proxy")
        exceptions = NoProxyList(either("no_proxy") ?? "")
    }

    /// The URL of the proxy for an address, or `nil` for a direct connection.
    func proxy(for address: HTTPAddress) -> String? {
        guard let proxy = byScheme[address.scheme] ?? fallback else { return nil }
        return exceptions.matches(address) ? nil : proxy
    }

    private static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}
