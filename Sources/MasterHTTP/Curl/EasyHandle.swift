import CLibCurl

/// Owns one easy handle and what libcurl borrows while a transfer runs; used on one thread.
///
/// Handles are used again. Options that every transfer sets are just set anew; one that used rarer
/// options (TLS, proxy, digest, upload) is reset first.
@safe final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    let errorText: UnsafeMutablePointer<CChar>
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private var payload: UnsafeMutableRawBufferPointer?
    private let sockets: SocketTable
    private var jar: CookieJar?
    private var needsReset = false
    private var lastSet = LastSet()
    /// The transfer under way; what libcurl calls is passed on to it.
    private(set) var transfer: Transfer?

    init?(sockets: SocketTable) {
        self.sockets = sockets
        guard let pointer = unsafe curl_easy_init() else { return nil }
        unsafe self.pointer = pointer
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setUp()
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headerLines)
        unsafe payload?.deallocate()
        unsafe errorText.deallocate()
    }

    /// The transfer that a handle carries.
    static func transfer(of pointer: UnsafeMutableRawPointer?) -> Transfer? {
        var context: UnsafeMutableRawPointer?
        guard let pointer = unsafe pointer,
            unsafe master_curl_get_pointer(pointer, CURLINFO_PRIVATE, &context) == CURLE_OK,
            let context = unsafe context
        else { return nil }
        return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().transfer
    }

    /// Makes the handle ready for the next transfer, and holds it until `finish`.
    func begin(_ transfer: Transfer) throws(HTTPError) {
        if needsReset {
            needsReset = false
            try use(nil)
            unsafe curl_easy_reset(pointer)
            lastSet = LastSet()
            setUp()
        }
        unsafe errorText[0] = 0
        self.transfer = transfer
        let spec = transfer.job.spec
        if lastSet.url != spec.hop.address.text {
            try set(CURLOPT_URL, spec.hop.address.text)
            lastSet.url = spec.hop.address.text
        }
        if lastSet.connect != spec.timeout.connect {
            set(CURLOPT_CONNECTTIMEOUT_MS, spec.timeout.connect.curlMilliseconds)
            lastSet.connect = spec.timeout.connect
        }
        if lastSet.isObserved != spec.isObserved {
            set(CURLOPT_VERBOSE, spec.isObserved ? 1 : 0)
            lastSet.isObserved = spec.isObserved
        }
        try setCookies(spec)
        try setBody(transfer)
        try setHeaders(spec)
        try setRarely(spec)
    }

    /// Lets go of what the transfer lent.
    func finish() {
        transfer = nil
        unsafe payload?.deallocate()
        unsafe payload = nil
    }

    func set(_ option: CURLoption, _ value: Int) {
        unsafe master_curl_set_long(pointer, option, value)
    }

    func set(_ option: CURLoption, _ value: String?) throws(HTTPError) {
        let result =
            if let value {
                unsafe master_curl_set_text(pointer, option, value)
            } else {
                unsafe master_curl_set_text(pointer, option, nil)
            }
        guard result == CURLE_OK else {
            throw HTTPError(.transferFailed, "libcurl takes no such setting: \(result.explanation)")
        }
    }

    func longInfo(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe master_curl_get_long(pointer, info, &value)
        return value
    }

    /// Whether the request itself began to be sent, as far as libcurl counts.
    var hasBegunToSend: Bool { longInfo(CURLINFO_REQUEST_SIZE) > 0 }

    /// From the start of the transfer until the connection stood; zero while it does not.
    var timeUntilSending: Duration { time(CURLINFO_PRETRANSFER_TIME_T) }

    /// Whether the server took the connection, though TLS may not stand yet.
    var wasTaken: Bool { time(CURLINFO_CONNECT_TIME_T) > .zero }

    private func time(_ info: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        unsafe master_curl_get_offset(pointer, info, &microseconds)
        return .microseconds(Int64(microseconds))
    }

    /// Lets a paused transfer go on.
    func resume() {
        unsafe curl_easy_pause(pointer, CURLPAUSE_CONT)
    }

    /// The options that no transfer changes.
    private func setUp() {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_UPLOAD_BUFFERSIZE, Self.smallUpload)
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        unsafe master_curl_set_text(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        unsafe master_curl_set_text(pointer, CURLOPT_ACCEPT_ENCODING, "")
        unsafe master_curl_set_text(pointer, CURLOPT_PROXY, "")
        unsafe master_curl_set_text(pointer, CURLOPT_NOPROXY, "")
        unsafe master_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        setContext()
        setCallbacks()
    }

    /// Makes the handle itself the context of all callbacks; it outlives them.
    private func setContext() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        for option in [
            CURLOPT_PRIVATE, CURLOPT_WRITEDATA, CURLOPT_HEADERDATA, CURLOPT_DEBUGDATA,
            CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA,
        ] {
            unsafe master_curl_set_pointer(pointer, option, context)
        }
        // A connection outlives the handle that made it, but not the table.
        let table = unsafe Unmanaged.passUnretained(sockets).toOpaque()
        unsafe master_curl_set_pointer(pointer, CURLOPT_OPENSOCKETDATA, table)
        unsafe master_curl_set_pointer(pointer, CURLOPT_CLOSESOCKETDATA, table)
    }

    private func setCookies(_ spec: TransferSpec) throws(HTTPError) {
        if jar !== spec.jar { try use(spec.jar) }
        let text = spec.hop.cookieText
        if lastSet.cookies != text {
            try set(CURLOPT_COOKIE, text)
            lastSet.cookies = text
        }
    }

    /// Takes cookies from a jar, and puts them there; with none, keeps no cookies at all.
    private func use(_ jar: CookieJar?) throws(HTTPError) {
        unsafe master_curl_set_pointer(pointer, CURLOPT_SHARE, jar?.pointer)
        // The name of no file: it makes libcurl handle cookies.
        try set(CURLOPT_COOKIEFILE, jar == nil ? nil : "")
        self.jar = jar
    }

    private func setBody(_ transfer: Transfer) throws(HTTPError) {
        let method = transfer.job.spec.hop.method
        set(CURLOPT_HTTPGET, 1)
        if lastSet.method != method {
            try set(CURLOPT_CUSTOMREQUEST, method.rawValue)
            lastSet.method = method
        }
        // Giving post fields, even none, makes it a request with a body, of whatever method.
        if method == .head { set(CURLOPT_NOBODY, 1) }
        switch transfer.job.spec.hop.body {
        case .none:
            if method.announcesEmptyBody { lend([]) }
        case .bytes(let bytes) where bytes.count <= Self.longestLoan:
            lend(bytes)
        case .bytes, .file, .spooled:
            needsReset = true
            set(CURLOPT_UPLOAD_BUFFERSIZE, Self.largeUpload)
            let length = transfer.source?.length ?? 0
            unsafe master_curl_set_pointer(pointer, CURLOPT_POSTFIELDS, nil)
            unsafe master_curl_set_offset(
                pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(length))
        }
    }

    /// The pieces in which short and long bodies are sent; libcurl allocates one for each transfer.
    private static let smallUpload = 16 << 10
    private static let largeUpload = 128 << 10

    /// The longest body that is copied for libcurl, so that it leaves with its headers.
    static let longestLoan = 64 << 10

    private func lend(_ bytes: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, bytes.count),
            alignment: 1
        )
        unsafe copy.copyBytes(from: bytes)
        unsafe payload = copy
        unsafe master_curl_set_pointer(pointer, CURLOPT_POSTFIELDS, copy.baseAddress)
        unsafe master_curl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
    }

    private func setHeaders(_ spec: TransferSpec) throws(HTTPError) {
        guard
            lastSet.headers != spec.hop.headers || lastSet.suppressed != spec.hop.suppressedHeaders
        else { return }
        lastSet.headers = nil
        unsafe curl_slist_free_all(headerLines)
        unsafe headerLines = nil
        for header in spec.hop.headers {
            try append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        for name in spec.hop.suppressedHeaders where !spec.hop.headers.contains(name) {
            try append("\(name):")
        }
        // libcurl would send these on its own.
        for name in ["Content-Type", "Expect"] where !spec.hop.headers.contains(name) {
            try append("\(name):")
        }
        unsafe master_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerLines)
        lastSet.headers = spec.hop.headers
        lastSet.suppressed = spec.hop.suppressedHeaders
    }

    private func append(_ line: String) throws(HTTPError) {
        guard let longer = unsafe curl_slist_append(headerLines, line) else { throw .outOfMemory }
        unsafe headerLines = longer
    }

    /// `CURLAUTH_DIGEST` with one that no server offers (`CURLAUTH_AWS_SIGV4`): left a choice,
    /// libcurl sends the request whole and repeats it only when it is asked for a digest; with
    /// one kind alone it would first send it without its body.
    private static let digestWhenAsked = 1 << 1 | 1 << 7

    private func setRarely(_ spec: TransferSpec) throws(HTTPError) {
        if let digest = spec.hop.digest {
            needsReset = true
            set(CURLOPT_HTTPAUTH, Self.digestWhenAsked)
            try set(CURLOPT_USERNAME, digest.user)
            try set(CURLOPT_PASSWORD, digest.password)
        }
        if let proxy = spec.proxy {
            needsReset = true
            try set(CURLOPT_PROXY, proxy.url)
            try setTLS(spec.tls, .proxy)
        }
        if spec.tls != HTTPTLS() {
            needsReset = true
            try setTLS(spec.tls, .server)
            try setClientCertificate(spec.tls)
        }
    }
}

/// What a handle was last told, so that it need not be told again.
private struct LastSet {
    var url: String?
    var connect: Duration?
    var cookies: String?
    var method: HTTPMethod?
    var headers: HTTPHeaders?
    var suppressed: [String] = []
    var isObserved = false
}
