import CLibCurl
import Glibc
import Synchronization

/// A mail that is sent by libcurl on a thread of its own: there are few, and a session is a dialogue
/// with a state that no other mail shares.
final class SMTPTransfer: Sendable {
    typealias Outcome = Result<SMTPResponse, HTTPError>

    let request: SMTPRequest
    let multi: CurlMulti
    private let cancelled = Atomic(false)

    init(_ request: SMTPRequest) throws(HTTPError) {
        self.request = request
        multi = try CurlMulti(idleConnections: 1)
    }

    /// Whether the waiting task was cancelled.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Runs the transfer; cancelling the task aborts it immediately.
    func run() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(HTTPError) {
                    try SystemThread.start { [self] in
                        continuation.resume(returning: dialogue())
                    }
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } onCancel: {
            cancelled.store(true, ordering: .releasing)
            multi.wakeUp()
        }
    }

    private func dialogue() -> Outcome {
        do throws(HTTPError) {
            return .success(try SMTPSession().run(self))
        } catch {
            return .failure(error)
        }
    }
}

/// The easy handle of a mail, its callbacks, and what the server has said so far. Used on one
/// thread.
@safe final class SMTPSession: CurlHandle {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    private var recipientList: UnsafeMutablePointer<curl_slist>?
    private var transfer: SMTPTransfer?
    private var request: SMTPRequest?
    private var start = ContinuousClock.now
    private var sent = 0
    private var lastByte = ContinuousClock.now

    /// The command whose reply is awaited.
    private var step = SMTPResponse.Step.greeting
    private var recipientCount = 0
    private var isAuthenticated = false
    /// Whether the outcome is known, so that further replies do not matter.
    private var isQuitting = false
    /// The lines of the reply that is being received.
    private var replyLines: [String] = []
    private var replies: [SMTPResponse.Reply] = []
    private var refusals: [SMTPResponse.Reply] = []
    private var transcript: [String] = []
    /// Why a callback ended the session.
    private var fault: HTTPError?

    /// The maximum number of lines of a reply, of replies, and of bytes of a line that are kept.
    private static let mostLines = 100
    private static let mostReplies = 10_000
    private static let longestLine = 1000

    init() throws(HTTPError) {
        try CurlGlobal.start()
        guard let pointer = unsafe curl_easy_init() else { throw .outOfMemory }
        guard let errorText = unsafe calloc(Int(CURL_ERROR_SIZE), 1) else {
            unsafe curl_easy_cleanup(pointer)
            throw .outOfMemory
        }
        unsafe self.errorText = errorText.bindMemory(
            to: CChar.self, capacity: Int(CURL_ERROR_SIZE))
        unsafe self.pointer = pointer
        guard
            unsafe master_curl_set_text(pointer, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK
        else {
            throw HTTPError(
                .unsupportedScheme,
                "the installed libcurl was built without SMTP and cannot send mails; install one "
                    + "with it, such as the package libcurl4 of Debian")
        }
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(recipientList)
        unsafe free(errorText)
    }

    /// Sends the mail of a transfer.
    func run(_ transfer: SMTPTransfer) throws(HTTPError) -> SMTPResponse {
        let (request, multi) = (transfer.request, transfer.multi)
        self.transfer = transfer
        self.request = request
        try setUp(request)
        guard multi.add(self) else { throw .outOfMemory }
        defer { multi.remove(self) }
        start = .now
        lastByte = start
        // A running transfer must not be removed: libcurl would end the message where it is, and
        // the server would accept half of it. `mustEnd` ends it instead.
        while true {
            multi.perform()
            if let result = multi.nextResult() { return try response(result, request) }
            let rest = deadline(of: request).time - .now
            multi.wait(milliseconds: Int32(min(60_000, rest.millisecondsUp)))
        }
    }

    /// Whether libcurl must end the transfer: it was cancelled, or exceeds a time limit.
    private func mustEnd() -> Bool {
        guard fault == nil else { return true }
        guard let transfer, acceptance == nil else { return false }
        let (deadline, error) = deadline(of: transfer.request)
        guard transfer.isCancelled || deadline <= .now else { return false }
        fault = transfer.isCancelled ? .cancelled : error
        // Nor does it wait long for the server to say goodbye.
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT, 1)
        return true
    }

    // MARK: Settings

    private func setUp(_ request: SMTPRequest) throws(HTTPError) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_VERBOSE, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        set(CURLOPT_UPLOAD, 1)
        set(CURLOPT_NOPROGRESS, 0)
        // The session enforces the limits itself, while its state is known.
        set(CURLOPT_CONNECTTIMEOUT_MS, request.timeout.connect.curlMilliseconds + 2000)
        set(CURLOPT_SERVER_RESPONSE_TIMEOUT, request.timeout.silence.curlMilliseconds / 1000 + 2)
        set(CURLOPT_USE_SSL, Int(request.security == .startTLS ? CURLUSESSL_ALL.rawValue : 0))
        // With this, the other recipients get the mail if the server refuses some.
        set(Self.allowsRefusals, 1)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "")
        try set(CURLOPT_URL, request.url)
        try set(CURLOPT_MAIL_FROM, "<\(request.sender)>")
        for recipient in request.recipients {
            guard let longer = unsafe curl_slist_append(recipientList, "<\(recipient)>") else {
                throw .outOfMemory
            }
            unsafe recipientList = longer
        }
        unsafe master_curl_set_list(pointer, CURLOPT_MAIL_RCPT, recipientList)
        if let credentials = request.credentials {
            try set(CURLOPT_USERNAME, credentials.user)
            try set(CURLOPT_PASSWORD, credentials.password)
        }
        try setTLS(request.tls, .server)
        try setClientCertificate(request.tls)
        unsafe master_curl_set_offset(
            pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.message.count))
        unsafe master_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
        setCallbacks()
    }

    /// `CURLOPT_MAIL_RCPT_ALLOWFAILS`, whose name has an `L` too many before libcurl 8.2.
    private static let allowsRefusals = CURLoption(rawValue: 290)

    private func setCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe master_curl_set_pointer(pointer, CURLOPT_READDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_DEBUGDATA, context)
        unsafe master_curl_set_pointer(pointer, CURLOPT_XFERINFODATA, context)
        unsafe master_curl_set_progress_callback(pointer) { context, _, _, _, _ in
            unsafe SMTPSession.session(in: context)?.mustEnd() == false ? 0 : 1
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_READFUNCTION) {
            bytes, size, count, context in
            guard let session = unsafe SMTPSession.session(in: context) else {
                return Int(CURL_READFUNC_ABORT)
            }
            return unsafe session.provide(
                UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
        unsafe master_curl_set_data_callback(pointer, CURLOPT_HEADERFUNCTION) {
            bytes, size, count, context in
            guard let session = unsafe SMTPSession.session(in: context) else { return 0 }
            let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
            return session.receive(line: unsafe String(decoding: line, as: UTF8.self))
                ? line.count : 0
        }
        unsafe master_curl_set_debug_callback(pointer) { _, kind, bytes, count, context in
            guard let session = unsafe SMTPSession.session(in: context), kind != CURLINFO_TEXT
            else { return 0 }
            session.lastByte = .now
            if kind == CURLINFO_HEADER_OUT {
                let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
                session.noteSent(unsafe String(decoding: bytes, as: UTF8.self))
            }
            return 0
        }
        unsafe master_curl_set_opensocket_callback(pointer) { _, _, address in
            guard let address = unsafe address?.pointee else { return CURL_SOCKET_BAD }
            // Child processes must not inherit the connection.
            return socket(
                address.family, address.socktype | Int32(SOCK_CLOEXEC.rawValue), address.protocol)
        }
    }

    private static func session(in context: UnsafeMutableRawPointer?) -> SMTPSession? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<SMTPSession>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: Dialogue

    private func provide(_ room: UnsafeMutableRawBufferPointer) -> Int {
        guard let message = request?.message else { return 0 }
        let end = min(message.count, sent + room.count)
        unsafe room.copyBytes(from: message[sent..<end])
        defer { sent = end }
        return end - sent
    }

    private func noteSent(_ command: String) {
        let verb = command.prefix { !$0.isWhitespace }.uppercased()
        switch verb {
        case "EHLO", "HELO": step = .hello
        case "STARTTLS": step = .startTLS
        case "AUTH": step = .authentication
        case "MAIL": step = .sender
        case "RCPT":
            step = .recipient
            recipientCount += 1
        case "DATA": step = .message
        case "QUIT": isQuitting = true
        default: break
        }
        let isSecret = step == .authentication && verb != "AUTH"
        let line = command.prefix { !$0.isNewline }
        note("> " + (isSecret ? "(hidden)" : verb == "AUTH" ? "AUTH (hidden)" : String(line)))
    }

    private func note(_ line: String) {
        if transcript.count < Self.mostReplies { transcript.append(line) }
    }

    /// Receives one line of a reply; returns whether the session goes on.
    private func receive(line: String) -> Bool {
        let line = String(line.prefix { !$0.isNewline }.prefix(Self.longestLine))
        note("< \(line)")
        guard !isQuitting else { return true }
        let code = line.prefix(3)
        guard code.count == 3, let number = Int(code), (200...599).contains(number) else {
            return true
        }
        if replyLines.count < Self.mostLines { replyLines.append(String(line.dropFirst(4))) }
        guard line.dropFirst(3).first != "-" else { return true }
        var reply = SMTPResponse.Reply(
            step: step, code: number, text: replyLines.joined(separator: " "))
        replyLines = []
        if step == .recipient, let recipients = request?.recipients,
            recipients.indices.contains(recipientCount - 1)
        {
            reply.recipient = recipients[recipientCount - 1]
        }
        if replies.count < Self.mostReplies { replies.append(reply) }
        return goesOn(after: reply)
    }

    private func goesOn(after reply: SMTPResponse.Reply) -> Bool {
        switch reply.step {
        case .authentication:
            if reply.code / 100 == 2 { isAuthenticated = true }
        case .sender where request?.credentials != nil && !isAuthenticated:
            // libcurl goes on without credentials if the server asks for none.
            fault = HTTPError(
                .noCredentials,
                "\(place) offers no authentication, so user and password were not sent"
                    + (request?.security == SMTPRequest.Security.none
                        ? "; it may offer one with TLS, otherwise omit them" : "; omit them"))
            return false
        case .recipient where reply.code >= 400:
            refusals.append(reply)
            return reply.code >= 500 || request?.waitsForAll == false
        case .message where reply.code / 100 == 2:
            // The mail is delivered: a server that does not say goodbye delays nothing.
            set(CURLOPT_SERVER_RESPONSE_TIMEOUT, 2)
        default: break
        }
        return true
    }

    // MARK: Outcome

    private var place: String { request?.authority ?? "" }

    private var acceptance: SMTPResponse? {
        let reply = replies.last { $0.step == .message && $0.code / 100 == 2 }
        return reply.map { response($0) }
    }

    private func response(_ reply: SMTPResponse.Reply) -> SMTPResponse {
        SMTPResponse(reply: reply, refusals: refusals, transcript: transcript)
    }

    private func response(
        _ result: CURLcode, _ request: SMTPRequest
    ) throws(HTTPError) -> SMTPResponse {
        if let acceptance { return acceptance }
        if let fault { throw fault }
        if let refusal = refusals.first(where: { $0.code < 500 }) ?? refusals.first,
            step == .recipient
        {
            return response(refusal)
        }
        if let reply = replies.last, reply.step == step, reply.code >= 400 {
            return response(reply)
        }
        throw error(result, request)
    }

    /// The next deadline, and the error when it has passed.
    private func deadline(
        of request: SMTPRequest
    ) -> (time: ContinuousClock.Instant, error: HTTPError) {
        let (limits, place) = (request.timeout, request.authority)
        let isConnected = time(CURLINFO_CONNECT_TIME_T) > .zero
        let silent =
            time(CURLINFO_PRETRANSFER_TIME_T) > .zero || (isConnected && request.security != .tls)
        let (limit, deadline) =
            silent || !replies.isEmpty
            ? (limits.silence, lastByte + limits.silence) : (limits.connect, start + limits.connect)
        let total = limits.total.map { start + $0 }
        if let total, total <= deadline {
            return (
                total,
                HTTPError(
                    .totalTimeout,
                    "sending the mail to \(place) took longer than its total timeout; check why the "
                        + "server is slow", mayHaveArrived: hasSentAll)
            )
        }
        if silent || !replies.isEmpty {
            let awaited = replies.isEmpty ? "no greeting" : "no answer"
            return (
                deadline,
                HTTPError(
                    .silenceTimeout,
                    "\(awaited) from \(place) for \(limit.forMessages); check whether the server "
                        + "hangs or speaks TLS, or raise the timeout", mayHaveArrived: hasSentAll)
            )
        }
        return (deadline, .noConnection(to: place, within: limit, isAccepted: isConnected))
    }

    /// Whether the whole message was given to libcurl, so that the server may have it.
    private var hasSentAll: Bool { step == .message && sent == request?.message.count }

    private func error(_ code: CURLcode, _ request: SMTPRequest) -> HTTPError {
        let number = Int32(longInfo(CURLINFO_OS_ERRNO))
        let exact = unsafe String(cString: errorText)
        return HTTPError(
            sending: code, to: request, systemError: number,
            detail: exact.isEmpty ? code.explanation : exact, hasReply: !replies.isEmpty,
            mayHaveArrived: hasSentAll)
    }
}
