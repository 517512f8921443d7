import CLibCurl
import Glibc

/// A cookie jar and default settings for a group of requests.
///
/// Sessions of one client do not see each other's cookies. They share its connections, except those
/// with different TLS settings.
public final class HTTPSession: Sendable {
    /// The default settings for the session's requests.
    public let configuration: HTTPSessionConfiguration
    let jar: CookieJar
    private let thread: CurlThread

    init(_ configuration: HTTPSessionConfiguration, thread: CurlThread) {
        self.configuration = configuration
        self.thread = thread
        jar = CookieJar()
    }

    /// The cookies that have not expired; empty once the client is shut down.
    public func cookies() async -> [HTTPCookie] {
        await withCheckedContinuation { continuation in
            thread.listCookies(of: jar) { continuation.resume(returning: $0) }
        }
    }
}

/// The default settings for requests in an `HTTPSession`.
public struct HTTPSessionConfiguration: Sendable {
    /// Headers; a request's header with the same name takes precedence.
    public var headers: HTTPHeaders
    /// Credentials for the requests.
    public var authentication: HTTPAuthentication?
    /// How server certificates are verified.
    public var tls: HTTPTLS
    /// The proxies for the requests.
    public var proxies: HTTPProxies

    /// Creates a configuration.
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

/// A cookie in a session.
public struct HTTPCookie: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: String
    /// The host to send it to.
    public let domain: String
    /// Whether it is also sent to subdomains of `domain`.
    public let includesSubdomains: Bool
    /// The path under which it is sent.
    public let path: String
    /// Whether it is sent only over TLS.
    public let isSecure: Bool
    /// When it expires, in seconds since 1970; `nil` means the end of the session.
    public let expires: Int64?
}

/// Owns the share handle that holds the cookies of a session.
///
/// `@unchecked Sendable`: the handle is made and used on the curl thread alone; it is freed where
/// the last owner lets go, and every easy handle that uses it is an owner.
@safe final class CookieJar: @unchecked Sendable {
    /// `nil` until a request needs it.
    private var handle: UnsafeMutableRawPointer?

    deinit {
        if let handle = unsafe handle { unsafe curl_share_cleanup(handle) }
    }

    /// The handle; called on the curl thread.
    func pointer() throws(HTTPError) -> UnsafeMutableRawPointer {
        if let handle = unsafe handle { return unsafe handle }
        guard let made = unsafe curl_share_init() else { throw .outOfMemory }
        let result = unsafe master_curl_share_set_long(
            made, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_COOKIE.rawValue))
        guard result == CURLSHE_OK else {
            unsafe curl_share_cleanup(made)
            throw .outOfMemory
        }
        unsafe handle = made
        return unsafe made
    }

    /// The cookies that have not expired. Called on the curl thread.
    func list() -> [HTTPCookie] {
        guard let pointer = unsafe handle, let easy = unsafe curl_easy_init() else { return [] }
        defer { unsafe curl_easy_cleanup(easy) }
        unsafe master_curl_set_pointer(easy, CURLOPT_SHARE, pointer)
        var lines: UnsafeMutablePointer<curl_slist>?
        unsafe master_curl_get_list(easy, CURLINFO_COOKIELIST, &lines)
        defer { unsafe curl_slist_free_all(lines) }
        let now = Int64(time(nil))
        var cookies: [HTTPCookie] = []
        var line = unsafe lines
        while let entry = unsafe line {
            if let cookie = unsafe HTTPCookie(line: String(cString: entry.pointee.data)),
                cookie.expires.map({ $0 > now }) ?? true
            {
                cookies.append(cookie)
            }
            unsafe line = entry.pointee.next
        }
        return cookies
    }
}

extension HTTPCookie {
    /// Parses a line in libcurl's format with seven columns.
    init?(line: String) {
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard columns.count == 7, let end = Int64(columns[4]) else { return nil }
        let domain =
            columns[0].hasPrefix("#HttpOnly_") ? String(columns[0].dropFirst(10)) : columns[0]
        self.init(
            name: columns[5], value: columns[6],
            domain: domain.hasPrefix(".") ? String(domain.dropFirst()) : domain,
            includesSubdomains: columns[1] == "TRUE", path: columns[2],
            isSecure: columns[3] == "TRUE", expires: end == 0 ? nil : end)
    }
}

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

/// The hosts in `no_proxy`, which are contacted directly.
///
/// An entry is `*`; a host or domain, which includes its subdomains, may start with `.` or `*.`,
/// and may end with `:port`; or an IPv4 network such as `10.0.0.0/8`.
struct NoProxyList: Sendable {
    private let entries: [String]

    /// Parses a list separated by commas or spaces.
    init(_ text: String) {
        entries = text.lowercased().split { $0 == "," || $0.isWhitespace }
            .map { InternationalName.asciiIfPossible(String($0)) }
    }

    /// Whether to contact the address directly.
    func matches(_ address: HTTPAddress) -> Bool {
        entries.contains { matches($0, address) }
    }

    private func matches(_ entry: String, _ address: HTTPAddress) -> Bool {
        if entry == "*" || entry == address.host { return true }
        if "[\(entry)]" == address.host { return true }
        if entry.contains("/") { return isInside(entry[...], address.host) }
        var name = entry[...]
        if let colon = entry.lastIndex(of: ":"), let port = Int(entry[entry.index(after: colon)...])
        {
            guard port == address.port else { return false }
            name = entry[..<colon]
        }
        if name.hasPrefix("*.") { name = name.dropFirst() }
        if name.hasPrefix(".") { name = name.dropFirst() }
        guard !name.isEmpty else { return false }
        return address.host == name || address.host.hasSuffix(".\(name)")
    }

    private func isInside(_ network: Substring, _ host: String) -> Bool {
        let halves = network.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, let bits = Int(halves[1]), (0...32).contains(bits),
            let base = Self.number(halves[0]), let address = Self.number(host[...])
        else { return false }
        let mask: UInt32 = bits == 0 ? 0 : ~0 << UInt32(32 - bits)
        return base & mask == address & mask
    }

    private static func number(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part) else { return nil }
            number = number << 8 | UInt32(byte)
        }
        return number
    }
}
