import CLibCurl
import Glibc

/// Owns one share handle that holds cookies.
///
/// `@unchecked Sendable`: the handle is used on the loop's thread alone; it is freed where the last
/// owner lets go, and every easy handle that uses it is an owner.
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

    /// The cookies held that have not ended; called on the loop's thread.
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
    /// Reads a line of seven columns as libcurl writes them.
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
