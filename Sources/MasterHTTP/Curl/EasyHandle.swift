import CLibCurl
import Glibc

/// Owns the easy handle of one transfer and the memory libcurl borrows for it. Used on the curl
/// thread.
///
/// A handle is never reused: libcurl 7.88 keeps a pointer to a freed header and writes to it if the
/// next response begins with a continuation line. A new handle costs about a microsecond, since
/// connections belong to the multi handle.
@safe final class EasyHandle: CurlHandle {
    let pointer: UnsafeMutableRawPointer
    let errorText: UnsafeMutablePointer<CChar>
    let connections: ConnectionTable
    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private var payload: UnsafeMutableRawPointer?
    private var jar: CookieJar?
    /// The active transfer, which receives libcurl's callbacks.
    private(set) var transfer: Transfer?
    /// The sockets opened for the transfer.
    private var opened: [Int32] = []
    /// The error number if a socket could not be opened.
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

    /// The transfer of a libcurl handle.
    static func transfer(of pointer: UnsafeMutableRawPointer?) -> Transfer? {
        var context: UnsafeMutableRawPointer?
        guard let pointer = unsafe pointer,
            unsafe master_curl_get_pointer(pointer, CURLINFO_PRIVATE, &context) == CURLE_OK,
            let context = unsafe context
        else { return nil }
        return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue().transfer
    }

    /// Configures libcurl for a transfer, and keeps the transfer alive until `finish`.
    func begin(_ transfer: Transfer, mustBeNew: Bool) throws(HTTPError) {
        self.transfer = transfer
        let request = transfer.request
        try set(CURLOPT_URL, request.address.encoded)
        // The transfer enforces the limit itself, while the state of the connection is still known.
        set(CURLOPT_CONNECTTIMEOUT_MS, request.timeout.connect.curlMilliseconds + 2000)
        if request.isObserved { set(CURLOPT_VERBOSE, 1) }
        if mustBeNew { set(CURLOPT_FRESH_CONNECT, 1) }
        try setCookies(request)
        try setBody(request, transfer.source)
        try setHeaders(request)
        try setRarely(request)
    }

    /// Releases the transfer, which owns this handle.
    func finish() {
        transfer = nil
    }

    /// Opens a socket for libcurl.
    func open(_ address: curl_sockaddr) -> Int32 {
        // Child processes must not inherit the connection.
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

    /// Whether sending the request itself has begun, according to libcurl.
    var hasBegunToSend: Bool { longInfo(CURLINFO_REQUEST_SIZE) > 0 }

    /// The time from the start of the transfer until the connection was ready; zero before that.
    var timeUntilSending: Duration { time(CURLINFO_PRETRANSFER_TIME_T) }

    /// Whether the server or proxy accepted a connection; TLS or a tunnel may still be incomplete.
    var wasAccepted: Bool {
        time(CURLINFO_CONNECT_TIME_T) > .zero || opened.contains { connections.isConnected($0) }
    }

    /// Whether a socket was opened, which happens after the host name has been resolved.
    var hasOpened: Bool { !opened.isEmpty }

    /// Resumes a paused transfer.
    func resume() {
        unsafe curl_easy_pause(pointer, CURLPAUSE_CONT)
    }

    /// Sets the options that are the same for all transfers.
    private func setUp() {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_UPLOAD_BUFFERSIZE, Self.smallUpload)
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        unsafe master_curl_set_text(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        // The transfer decodes the response itself.
        unsafe master_curl_set_text(
            pointer, CURLOPT_ACCEPT_ENCODING, ContentDecoder.acceptedEncodings)
        set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        unsafe master_curl_set_text(pointer, CURLOPT_PROXY, "")
        unsafe master_curl_set_text(pointer, CURLOPT_NOPROXY, "")
        unsafe master_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        setContext()
        setCallbacks()
    }

    /// Makes the handle, which outlives all callbacks, their context.
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
        // A connection may outlive the handle that opened it, but not the table.
        let table = unsafe Unmanaged.passUnretained(connections).toOpaque()
        unsafe master_curl_set_pointer(pointer, CURLOPT_CLOSESOCKETDATA, table)
    }

    /// Enables the cookie jar of a session; without one, received cookies are dropped.
    private func setCookies(_ request: OutgoingRequest) throws(HTTPError) {
        if let text = request.cookieText { try set(CURLOPT_COOKIE, text) }
        guard let jar = request.jar else { return }
        self.jar = jar
        unsafe master_curl_set_pointer(pointer, CURLOPT_SHARE, try jar.pointer())
        // An empty name enables libcurl's cookie handling.
        try set(CURLOPT_COOKIEFILE, "")
    }

    private func setBody(
        _ request: OutgoingRequest, _ source: BodySource?
    ) throws(HTTPError) {
        try set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        // Setting post fields, even empty ones, gives the request a body, whatever its method.
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

    /// The buffer sizes for sending short and long bodies; libcurl allocates one for each transfer.
    private static let smallUpload = 16 << 10
    private static let largeUpload = 128 << 10

    /// The maximum size of a body that is copied for libcurl, so that it is sent together with the
    /// headers.
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
        // libcurl would add these itself.
        for name in ["Content-Type", "Expect"] where !request.headers.contains(name) {
            try append("\(name):")
        }
        unsafe master_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerLines)
    }

    private func append(_ line: String) throws(HTTPError) {
        guard let longer = unsafe curl_slist_append(headerLines, line) else { throw .outOfMemory }
        unsafe headerLines = longer
    }

    /// `CURLAUTH_DIGEST` and `CURLAUTH_AWS_SIGV4`, which no server offers. With a choice, libcurl
    /// sends the complete request and repeats it only when challenged; with only one scheme, it
    /// would first send it without its body.
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

/// The callbacks from libcurl, always on the curl thread; their context is the handle.
extension EasyHandle {
    func setCallbacks() {
        unsafe master_curl_set_data_callback(pointer, CURLOPT_WRITEFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveBody(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            return unsafe transfer.receiveHeader(
                UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_READFUNCTION) {
            bytes, size, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else {
                return Int(CURL_READFUNC_ABORT)
            }
            return unsafe transfer.sendBody(
                UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_seek_callback(pointer) { context, offset, origin in
            guard origin == SEEK_SET, let transfer = unsafe EasyHandle.transfer(in: context) else {
                return CURL_SEEKFUNC_FAIL
            }
            return transfer.rewindBody(to: Int(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        unsafe master_curl_set_debug_callback(pointer) { _, kind, bytes, count, context in
            guard let transfer = unsafe EasyHandle.transfer(in: context) else { return 0 }
            unsafe transfer.observe(kind, UnsafeRawBufferPointer(start: bytes, count: count))
            return 0
        }
        unsafe master_curl_set_prereq_callback(pointer) { context, peer, _, _, localPort in
            let ends = unsafe ConnectionEnds(localPort: localPort, peer: peer)
            guard let handle = unsafe EasyHandle.handle(in: context),
                let transfer = handle.transfer,
                transfer.beginRequest(on: ends, of: handle.connections)
            else { return CURL_PREREQFUNC_ABORT }
            return CURL_PREREQFUNC_OK
        }
        setSocketCallbacks()
    }

    private func setSocketCallbacks() {
        unsafe master_curl_set_opensocket_callback(pointer) { context, _, address in
            guard let handle = unsafe EasyHandle.handle(in: context),
                let address = unsafe address?.pointee
            else { return CURL_SOCKET_BAD }
            return handle.open(address)
        }
        unsafe master_curl_set_closesocket_callback(pointer) { context, descriptor in
            if let context = unsafe context {
                unsafe Unmanaged<ConnectionTable>.fromOpaque(context).takeUnretainedValue()
                    .closed(descriptor)
            }
            return close(descriptor)
        }
    }

    private static func handle(in context: UnsafeMutableRawPointer?) -> EasyHandle? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<EasyHandle>.fromOpaque(context).takeUnretainedValue()
    }

    private static func transfer(in context: UnsafeMutableRawPointer?) -> Transfer? {
        unsafe handle(in: context)?.transfer
    }
}
