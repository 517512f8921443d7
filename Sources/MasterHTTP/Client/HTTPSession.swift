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

    init(_ configuration: HTTPSessionConfiguration, thread: CurlThread) throws(HTTPError) {
        self.configuration = configuration
        self.thread = thread
        jar = try CookieJar()
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

/// Owns a share handle that holds cookies.
///
/// `@unchecked Sendable`: the handle is used only on the curl thread. It is freed when the last
/// owner releases it, and every easy handle that uses it is an owner.
@safe final class CookieJar: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    init() throws(HTTPError) {
        try CurlGlobal.start()
        guard let pointer = unsafe curl_share_init() else { throw .outOfMemory }
        unsafe self.pointer = pointer
        let result = unsafe master_curl_share_set_long(
            pointer, CURLSHOPT_SHARE, Int(CURL_LOCK_DATA_COOKIE.rawValue))
        guard result == CURLSHE_OK else {
            throw .outOfMemory
        }
    }

    deinit {
        unsafe curl_share_cleanup(pointer)
    }

    /// The cookies that have not expired. Called on the curl thread.
    func list() -> [HTTPCookie] {
        guard let easy = unsafe curl_easy_init() else { return [] }
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
