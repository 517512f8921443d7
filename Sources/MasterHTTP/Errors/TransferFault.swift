import CLibCurl
import Glibc

extension Transfer {
    /// The error for a transfer that the client aborted.
    func ended(by error: HTTPError) -> Outcome {
        var error = error
        error.mayHaveArrived = mayHaveArrived
        return failure(error)
    }

    /// The error for a transfer that libcurl ended with a code.
    func error(_ code: CURLcode) -> HTTPError {
        if var fault = progress.fault {
            fault.mayHaveArrived = mayHaveArrived
            return fault
        }
        guard let easy else { return .outOfMemory }
        let (kind, message) = TransferFault(transfer: self, easy: easy).describe(code)
        return HTTPError(kind, message, mayHaveArrived: mayHaveArrived)
    }
}

extension HTTPError {
    /// Whether the process can open no file or socket any more.
    static var isWithoutDescriptors: Bool {
        let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return false
        }
        return errno == EMFILE || errno == ENFILE
    }
}

/// Translates libcurl codes to errors.
private struct TransferFault {
    let transfer: Transfer
    let easy: EasyHandle

    private var request: OutgoingRequest { transfer.request }
    private var place: String { transfer.place }
    private var mayHaveArrived: Bool { transfer.mayHaveArrived }
    private var address: HTTPAddress { request.address }
    private var proxy: ProxyRoute? { request.proxy }
    private var proxyPlace: String { proxy?.authority ?? "" }
    private var connectLimit: String { request.timeout.connect.forMessages }
    /// The host name for messages.
    private var hostName: String { request.place.isHidden ? place : address.host }

    func describe(_ code: CURLcode) -> (HTTPError.Code, String) {
        if let refusal = refusalByProxy { return (.proxy, refusal) }
        if isWithoutDescriptors(code) { return (.transferFailed, HTTPError.noDescriptors.message) }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return (
                .nameNotFound,
                "the name \(hostName) is not known; check its spelling and whether this machine can "
                    + "look up names"
            )
        case CURLE_COULDNT_RESOLVE_PROXY:
            return (.proxy, "the name of the proxy \(proxyPlace) is not known")
        case CURLE_PROXY:
            return (
                .proxy, "the proxy \(proxyPlace) refused the request: \(detail(code))"
            )
        case CURLE_COULDNT_CONNECT: return describeNoConnection()
        case CURLE_OPERATION_TIMEDOUT: return describeNoConnectionInTime()
        case _ where isTooLarge(code):
            return (.headersTooLarge, HTTPError.headerLineTooLong(place).message)
        case CURLE_OK, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return describeLostConnection(code)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_HTTP2:
            return (.malformedResponse, HTTPError.malformed(place, detail(code)).message)
        case CURLE_BAD_FUNCTION_ARGUMENT where transfer.response.hasBegun:
            return (.malformedResponse, HTTPError.malformed(place, "invalid header line").message)
        case CURLE_URL_MALFORMAT: return (.invalidURL, "the URL is invalid: \(detail(code))")
        case CURLE_OUT_OF_MEMORY: return (.transferFailed, HTTPError.outOfMemory.message)
        default: break
        }
        if Self.tlsCodes.contains(where: { $0 == code }) { return (.tls, describeTLS(code)) }
        return (.transferFailed, "the transfer with \(place) failed: \(detail(code))")
    }

    /// Whether the process ran out of file descriptors, which libcurl reports in various ways.
    private func isWithoutDescriptors(_ code: CURLcode) -> Bool {
        if let fault = easy.openFault { return fault == EMFILE || fault == ENFILE }
        guard !mayHaveArrived, !easy.hasOpened, code != CURLE_OPERATION_TIMEDOUT else {
            return false
        }
        return HTTPError.isWithoutDescriptors
    }

    /// Whether libcurl rejected a line over 100 KB, which versions up to 8.6 report as out of
    /// memory.
    private func isTooLarge(_ code: CURLcode) -> Bool {
        guard mayHaveArrived else { return false }
        return code == CURLE_OUT_OF_MEMORY || code == Self.tooLarge
            || detail(code).contains("Too large response headers")
    }

    /// `CURLE_TOO_LARGE`, added in libcurl 8.6.
    private static let tooLarge = CURLcode(rawValue: 100)

    private func describeNoConnection() -> (HTTPError.Code, String) {
        let number = easy.openFault ?? Int32(easy.longInfo(CURLINFO_OS_ERRNO))
        let reason = unsafe number == 0 ? "no connection" : String(cString: strerror(number))
        guard proxy == nil else {
            return (.proxy, "the proxy \(proxyPlace) cannot be reached (\(reason))")
        }
        guard number != ECONNREFUSED else {
            return (
                .refused,
                "nothing listens at \(place) (connection refused); start the server, "
                    + "or correct the URL"
            )
        }
        return (.unreachable, "\(place) cannot be reached (\(reason))")
    }

    private func describeNoConnectionInTime() -> (HTTPError.Code, String) {
        guard easy.wasAccepted else {
            guard easy.hasOpened else {
                let name = proxy == nil ? hostName : "of the proxy \(proxyPlace)"
                return (
                    .connectTimeout,
                    "the name \(name) was not looked up within \(connectLimit); check whether this "
                        + "machine's name server answers, or raise the connect timeout"
                )
            }
            return (
                .connectTimeout,
                "no connection to \(request.route) within \(connectLimit); "
                    + "check whether a firewall drops it, or raise the connect timeout"
            )
        }
        guard proxy == nil || hasTunnel else {
            return (
                .connectTimeout,
                "the proxy \(proxyPlace) accepted the connection but opened none to \(place) within "
                    + "\(connectLimit); check the proxy's log, or raise the connect timeout"
            )
        }
        return (
            .connectTimeout,
            "\(request.route) accepted the connection but did not complete the TLS handshake within "
                + "\(connectLimit); check whether it speaks TLS, or raise the connect timeout"
        )
    }

    private func describeLostConnection(_ code: CURLcode) -> (HTTPError.Code, String) {
        let detail = detail(code)
        if detail.contains("SSL") && detail.contains("alert") { return (.tls, describeTLS(code)) }
        if detail.contains("chunk") {
            return (.malformedResponse, HTTPError.malformed(place, detail).message)
        }
        if proxy != nil, !hasTunnel, !mayHaveArrived {
            return (
                .proxy,
                "the proxy \(proxyPlace) closed the connection before it opened one to \(place); "
                    + "check the proxy's log"
            )
        }
        let status = transfer.response.statusLine.map { " \($0.status)" }
        if code == CURLE_SEND_ERROR, mayHaveArrived {
            let answer = status.map { "answered\($0) and " } ?? ""
            return (
                .closedEarly,
                "\(place) \(answer)closed the connection before it had read the whole request; "
                    + "check whether the request is too large for it, and check the server's log"
            )
        }
        guard transfer.response.hasBegun else {
            return (.closedEarly, HTTPError.closedBeforeResponse(request).message)
        }
        return (
            .closedEarly,
            "\(place) closed the connection before the end of its answer; check the server's log"
        )
    }

    private func describeTLS(_ code: CURLcode) -> String {
        let detail = detail(code)
        if code == CURLE_PEER_FAILED_VERIFICATION {
            let reason = detail.components(after: "SSL certificate problem: ")
            return "the certificate of \(place) is not trusted: \(reason); "
                + "set verify to a CA file or to false"
        }
        let isPlain = detail.contains("wrong version number")
        return "TLS with \(place) failed: \(detail)"
            + (isPlain ? "; check whether it speaks TLS, or write http://" : "")
    }

    /// The error if a proxy refused to open a tunnel.
    private var refusalByProxy: String? {
        let status = easy.longInfo(CURLINFO_HTTP_CONNECTCODE)
        guard status >= 300, proxy != nil else { return nil }
        let remedy = status == 407 ? "; put user and password in its URL" : ""
        return "the proxy \(proxyPlace) refused a tunnel to \(place) with status \(status)\(remedy)"
    }

    /// Whether a proxy has opened a tunnel to the server.
    private var hasTunnel: Bool {
        (200..<300).contains(easy.longInfo(CURLINFO_HTTP_CONNECTCODE))
    }

    /// libcurl's error message, specific if available.
    private func detail(_ code: CURLcode) -> String {
        let exact = unsafe String(cString: easy.errorText)
        let detail = exact.isEmpty ? code.explanation : exact
        return request.place.isHidden ? detail.replacing(address.host, with: place) : detail
    }

    private static let tlsCodes = [
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_SHUTDOWN_FAILED,
        CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
    ]
}

extension String {
    /// The text after a prefix, or the whole text if it does not start with it.
    fileprivate func components(after prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
