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
