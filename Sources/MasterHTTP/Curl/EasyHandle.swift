import CLibCurl
import Glibc

/// Owns the easy handle of one transfer and what libcurl borrows for it; used on the curl thread.
///
/// A handle is never used again: libcurl 7.88 keeps a pointer to a header that it has freed and
/// writes there when the next answer begins with a continuation line. A new handle costs about
/// a microsecond, since connections belong to the multi handle.
@safe final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    let errorText: UnsafeMutablePointer<CChar>
    let connections: ConnectionTable
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private var payload: UnsafeMutableRawPointer?
    private var jar: CookieJar?
    /// The transfer under way; what libcurl calls is passed on to it.
    private(set) var transfer: Transfer?
    /// The sockets that were opened for the transfer.
    private var opened: [Int32] = []
    /// Why a socket could not be opened.
    private(set) var openFault: Int32?

    init?(_ connections: ConnectionTable) {
        self.connections = connections
        guard let pointer = unsafe curl_easy_init() else { return nil }
        guard let errorText = unsafe calloc(Int(CURL_ERROR_SIZE), 1) else {
            unsafe curl_easy_cleanup(pointer)
            return nil
        }
        unsafe self.errorText = errorText.bindMemory(
            to: CChar.self, capacity: Int(CURL_ERROR_SIZE))
        unsafe self.pointer = pointer
        setUp()
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headerLines)
        unsafe free(payload)
        unsafe free(errorText)
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

    /// Tells libcurl what to do, and holds the transfer until `finish`.
    func begin(_ transfer: Transfer, mustBeNew: Bool) throws(HTTPError) {
        self.transfer = transfer
        let request = transfer.request
        try set(CURLOPT_URL, request.address.encoded)
        // The transfer watches the limit itself, while it can still see how far the connection is.
        set(CURLOPT_CONNECTTIMEOUT_MS, request.timeout.connect.curlMilliseconds + 2000)
        if request.isObserved { set(CURLOPT_VERBOSE, 1) }
        if mustBeNew { set(CURLOPT_FRESH_CONNECT, 1) }
        try setCookies(request)
        try setBody(request, transfer.source)
        try setHeaders(request)
        try setRarely(request)
    }

    /// Lets go of the transfer, which holds the handle.
    func finish() {
        transfer = nil
    }

    /// Opens a socket for libcurl.
    func open(_ address: curl_sockaddr) -> Int32 {
        // Children of this process must not inherit the connection.
        let descriptor = socket(
            address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
        if descriptor < 0 {
            openFault = errno
        } else {
            opened.append(descriptor)
            connections.opened(descriptor)
        }
        return descriptor
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
            throw HTTPError(.transferFailed, "libcurl refuses a setting: \(result.explanation)")
        }
    }

    func longInfo(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe master_curl_get_long(pointer, info, &value)
        return value
    }

    /// Whether the request itself began to be sent, as far as libcurl counts.
    var hasBegunToSend: Bool { longInfo(CURLINFO_REQUEST_SIZE) > 0 }

    /// From the start of the transfer until the connection was made; zero before.
    var timeUntilSending: Duration { time(CURLINFO_PRETRANSFER_TIME_T) }

    /// Whether the server or proxy accepted a connection; TLS or a tunnel may not be complete yet.
    var wasTaken: Bool {
        time(CURLINFO_CONNECT_TIME_T) > .zero || opened.contains { connections.isConnected($0) }
    }

    /// Whether a socket was opened, which happens once the name is known.
    var hasOpened: Bool { !opened.isEmpty }

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
        // What is accepted is decoded by the transfer.
        unsafe master_curl_set_text(
            pointer, CURLOPT_ACCEPT_ENCODING, ContentDecoder.acceptedEncodings)
        set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        unsafe master_curl_set_text(pointer, CURLOPT_PROXY, "")
        unsafe master_curl_set_text(pointer, CURLOPT_NOPROXY, "")
        unsafe master_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        setContext()
        setCallbacks()
    }

    /// Makes the handle itself the context of all callbacks; it outlives them.
    private func setContext() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe master_curl_set_pointer(pointer, CURLOPT_PRIVATE, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_DEBUGDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_READDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_SEEKDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_PREREQDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_OPENSOCKETDATA, context)
        // A connection outlives the handle that made it, but not the table.
        let table = unsafe Unmanaged.passUnretained(connections).toOpaque()
        unsafe master_curl_set_pointer(pointer, CURLOPT_CLOSESOCKETDATA, table)
    }

    /// Takes cookies from a jar, and puts them there; without one, no cookies are kept at all.
    private func setCookies(_ request: OutgoingRequest) throws(HTTPError) {
        if let text = request.cookieText { try set(CURLOPT_COOKIE, text) }
        guard let jar = request.jar else { return }
        self.jar = jar
        unsafe master_curl_set_pointer(pointer, CURLOPT_SHARE, try jar.pointer())
        // An empty name makes libcurl handle cookies.
        try set(CURLOPT_COOKIEFILE, "")
    }

    private func setBody(
        _ request: OutgoingRequest, _ source: BodySource?
    ) throws(HTTPError) {
        try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        // Giving post fields, even none, makes it a request with a body, of whatever method.
        if request.method == .head { set(CURLOPT_NOBODY, 1) }
        if let source {
            set(CURLOPT_UPLOAD_BUFFERSIZE, Self.largeUpload)
            set(CURLOPT_POST, 1)
            unsafe master_curl_set_offset(
                pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(source.length))
        } else if case .bytes(let bytes) = request.body {
            try lend(bytes)
        } else if request.method.announcesEmptyBody {
            try lend([])
        }
    }

    /// The pieces in which short and long bodies are sent; libcurl allocates one for each transfer.
    private static let smallUpload = 16 << 10
    private static let largeUpload = 128 << 10

    /// The longest body that is copied for libcurl, so that it leaves with its headers.
    static let longestLoan = 64 << 10

    private func lend(_ bytes: [UInt8]) throws(HTTPError) {
        guard let copy = unsafe malloc(max(1, bytes.count)) else { throw .outOfMemory }
        unsafe payload = copy
        unsafe UnsafeMutableRawBufferPointer(start: copy, count: bytes.count)
            .copyBytes(from: bytes)
        unsafe master_curl_set_pointer(pointer, CURLOPT_POSTFIELDS, copy)
        unsafe master_curl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
    }

    private func setHeaders(_ request: OutgoingRequest) throws(HTTPError) {
        for header in request.headers {
            try append(header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)")
        }
        for name in request.suppressedHeaders where !request.headers.contains(name) {
            try append("\(name):")
        }
        // libcurl would send these on its own.
        for name in ["Content-Type", "Expect"] where !request.headers.contains(name) {
            try append("\(name):")
        }
        unsafe master_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerLines)
    }

    private func append(_ line: String) throws(HTTPError) {
        guard let longer = unsafe curl_slist_append(headerLines, line) else { throw .outOfMemory }
        unsafe headerLines = longer
    }

    /// `CURLAUTH_DIGEST` with one that no server offers (`CURLAUTH_AWS_SIGV4`): left a choice,
    /// libcurl sends the request whole and repeats it only when it is asked for a digest; with
    /// one kind alone it would first send it without its body.
    private static let digestWhenAsked = 1 << 1 | 1 << 7

    private func setRarely(_ request: OutgoingRequest) throws(HTTPError) {
        if let digest = request.digest {
            set(CURLOPT_HTTPAUTH, Self.digestWhenAsked)
            try set(CURLOPT_USERNAME, digest.user)
            try set(CURLOPT_PASSWORD, digest.password)
        }
        if let proxy = request.proxy {
            try set(CURLOPT_PROXY, proxy.url)
            try setTLS(request.tls, .proxy)
        }
        if request.tls != HTTPTLS() {
            try setTLS(request.tls, .server)
            try setClientCertificate(request.tls)
        }
    }
}

extension EasyHandle {
    /// The options for one side: the server, or a proxy that is spoken to over TLS.
    struct TLSSide {
        let verifyPeer: CURLoption
        let verifyHost: CURLoption
        let file: CURLoption
        let folder: CURLoption

        static let server = TLSSide(
            verifyPeer: CURLOPT_SSL_VERIFYPEER, verifyHost: CURLOPT_SSL_VERIFYHOST,
            file: CURLOPT_CAINFO, folder: CURLOPT_CAPATH)
        static let proxy = TLSSide(
            verifyPeer: CURLOPT_PROXY_SSL_VERIFYPEER, verifyHost: CURLOPT_PROXY_SSL_VERIFYHOST,
            file: CURLOPT_PROXY_CAINFO, folder: CURLOPT_PROXY_CAPATH)
    }

    /// Sets how certificates are checked; authorities given replace the system's.
    func setTLS(_ tls: HTTPTLS, _ side: TLSSide) throws(HTTPError) {
        switch tls.verification {
        case .on: break
        case .off:
            set(side.verifyPeer, 0)
            set(side.verifyHost, 0)
        case .authorities(let path):
            let isFolder = try Self.inspect(path, as: "the certificate authorities in")
            try set(side.file, isFolder ? nil : path)
            try set(side.folder, isFolder ? path : nil)
        }
    }

    /// Sets the certificate and key that the client shows.
    func setClientCertificate(_ tls: HTTPTLS) throws(HTTPError) {
        guard let certificate = tls.clientCertificate else {
            guard tls.key == nil else {
                throw HTTPError(.tls, "a key is given without a client certificate; give both")
            }
            return
        }
        _ = try Self.inspect(certificate, as: "the client certificate")
        try set(CURLOPT_SSLCERT, certificate)
        guard let key = tls.key else { return }
        _ = try Self.inspect(key, as: "the key of the client certificate")
        try set(CURLOPT_SSLKEY, key)
    }

    /// Whether the path is a folder.
    ///
    /// - Throws: `HTTPError` of code `tls` when it cannot be read.
    private static func inspect(_ path: String, as what: String) throws(HTTPError) -> Bool {
        var information = stat()
        guard !path.utf8.contains(0), unsafe stat(path, &information) == 0,
            unsafe access(path, R_OK) == 0
        else {
            let reason = unsafe String(cString: strerror(errno))
            throw HTTPError(.tls, "\(what) \(path) cannot be read: \(reason)")
        }
        return information.st_mode & S_IFMT == S_IFDIR
    }
}
