import CLibCurl
import Glibc

/// The errors of mails that got no reply.
extension HTTPError {
    static func noConnection(
        to place: String, within limit: Duration, isAccepted: Bool
    ) -> HTTPError {
        HTTPError(
            .connectTimeout,
            isAccepted
                ? "\(place) accepted the connection but did not complete the TLS handshake within "
                    + "\(limit.forMessages); check whether it speaks TLS from the start"
                : "no connection to \(place) within \(limit.forMessages); check whether a firewall "
                    + "drops it, or raise the connect timeout")
    }

    /// The error for a mail that libcurl gave up without a refusal by the server.
    init(
        sending code: CURLcode, to request: SMTPRequest, systemError: Int32, detail: String,
        hasReply: Bool, mayHaveArrived: Bool
    ) {
        let place = request.authority
        let isTLS = Self.mailTLSCodes.contains { $0 == code } || detail.contains("SSL")
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(
                .nameNotFound,
                "the name \(request.host) is not known; check its spelling and whether this "
                    + "machine can look up names")
        case CURLE_COULDNT_CONNECT where systemError == ECONNREFUSED:
            self.init(
                .refused,
                "nothing listens at \(place) (connection refused); start the mail server, or "
                    + "correct host and port")
        case CURLE_COULDNT_CONNECT:
            let reason =
                unsafe systemError == 0 ? "no connection" : String(cString: strerror(systemError))
            self.init(.unreachable, "\(place) cannot be reached (\(reason))")
        case CURLE_OPERATION_TIMEDOUT where !hasReply:
            self = .noConnection(to: place, within: request.timeout.connect, isAccepted: false)
        case CURLE_OPERATION_TIMEDOUT:
            self.init(
                .silenceTimeout,
                "no answer from \(place) for \(request.timeout.silence.forMessages); check whether "
                    + "the server hangs, or raise the timeout", mayHaveArrived: mayHaveArrived)
        case CURLE_USE_SSL_FAILED, CURLE_REMOTE_ACCESS_DENIED:
            self.init(
                .tls,
                "\(place) does not offer STARTTLS, so the mail was not sent; use another port, TLS "
                    + "from the start, or no TLS")
        case CURLE_LOGIN_DENIED:
            self.init(
                .noCredentials,
                "\(place) offers no kind of authentication for which user and password are enough")
        case CURLE_PEER_FAILED_VERIFICATION:
            let prefix = "SSL certificate problem: "
            let reason = detail.hasPrefix(prefix) ? String(detail.dropFirst(prefix.count)) : detail
            self.init(
                .tls,
                "the certificate of \(place) is not trusted: \(reason); set verify to a CA file or "
                    + "to false")
        case _ where isTLS:
            let isPlain =
                detail.contains("wrong version number") || detail.contains("packet length")
            self.init(
                .tls,
                "TLS with \(place) failed: \(detail)"
                    + (isPlain ? "; check whether it speaks TLS from the start" : ""),
                mayHaveArrived: mayHaveArrived)
        case CURLE_WEIRD_SERVER_REPLY where !hasReply:
            self.init(
                .malformedResponse,
                "what listens at \(place) does not speak SMTP; correct host and port")
        case CURLE_OUT_OF_MEMORY: self = .outOfMemory
        default:
            self.init(
                .closedEarly,
                mayHaveArrived
                    ? "\(place) closed the connection before it confirmed the mail, which may arrive "
                        + "twice; check the server's log"
                    : "\(place) closed the connection before it had the whole mail (\(detail)); "
                        + "check the server's log",
                mayHaveArrived: mayHaveArrived)
        }
    }

    private static var mailTLSCodes: [CURLcode] {
        [
            CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_SHUTDOWN_FAILED,
        ]
    }
}
