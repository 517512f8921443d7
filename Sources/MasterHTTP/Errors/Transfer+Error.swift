import CLibCurl
import Glibc

/// From libcurl's codes to words.
extension Transfer {
    /// The error of a transfer that was cancelled now.
    var cancelled: HTTPError {
        var error = HTTPError.cancelled
        error.mayHaveArrived = mayHaveArrived
        return error
    }

    /// The error of a transfer that libcurl ended with a code.
    func error(_ code: CURLcode) -> HTTPError {
        if var fault = progress.fault {
            fault.mayHaveArrived = mayHaveArrived
            return fault
        }
        let (kind, message) = describe(code)
        return HTTPError(kind, message, mayHaveArrived: mayHaveArrived)
    }

    private var address: HTTPAddress { job.spec.hop.address }
    private var place: String { address.authority }

    private func describe(_ code: CURLcode) -> (HTTPError.Code, String) {
        if let refusal = refusalByProxy { return (.proxy, refusal) }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return (
                .nameNotFound,
                "the name \(address.host) is not known; see whether it is spelt right and "
                    + "whether this machine can look up names"
            )
        case CURLE_COULDNT_RESOLVE_PROXY:
            return (.proxy, "the name of the proxy \(proxyPlace) is not known")
        case CURLE_PROXY:
            return (
                .proxy, "the proxy \(proxyPlace) does not let the request through: \(detail(code))"
            )
        case CURLE_COULDNT_CONNECT: return describeNoConnection()
        case CURLE_OPERATION_TIMEDOUT: return describeNoConnectionInTime()
        case CURLE_OK, CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return describeLostConnection(code)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING,
            CURLE_HTTP2:
            return (.malformedResponse, HTTPError.malformed(address, detail(code)).message)
        case CURLE_URL_MALFORMAT: return (.invalidURL, "the address is none: \(detail(code))")
        case CURLE_OUT_OF_MEMORY where hasAnswer && !headIsComplete:
            // One line of more than 100 KB.
            return (.headersTooLarge, HTTPError.headersTooLarge(address).message)
        case CURLE_OUT_OF_MEMORY: return (.transferFailed, HTTPError.outOfMemory.message)
        default: break
        }
        if Self.tlsCodes.contains(where: { $0 == code }) { return (.tls, describeTLS(code)) }
        return (.transferFailed, "the transfer with \(place) failed: \(detail(code))")
    }

    private func describeNoConnection() -> (HTTPError.Code, String) {
        let reason = errno(easy.longInfo(CURLINFO_OS_ERRNO))
        if job.spec.proxy != nil {
            return (.proxy, "the proxy \(proxyPlace) cannot be reached (\(reason.text))")
        }
        guard reason.number != ECONNREFUSED else {
            return (
                .refused,
                "nothing listens at \(place) (connection refused); start the server, "
                    + "or correct the address"
            )
        }
        return (.unreachable, "\(place) cannot be reached (\(reason.text))")
    }

    private func describeNoConnectionInTime() -> (HTTPError.Code, String) {
        let whom = job.spec.proxy == nil ? place : "\(place) through the proxy \(proxyPlace)"
        guard !easy.wasTaken else {
            return (
                .connectTimeout,
                "\(whom) took the connection but did not make it ready within "
                    + "\(job.spec.timeout.connect.inWords); see whether it speaks TLS, or raise "
                    + "the connect timeout"
            )
        }
        return (
            .connectTimeout,
            "no connection to \(whom) within \(job.spec.timeout.connect.inWords); "
                + "see whether a firewall drops it, or raise the connect timeout"
        )
    }

    private func describeLostConnection(_ code: CURLcode) -> (HTTPError.Code, String) {
        let detail = detail(code)
        if detail.contains("SSL") && detail.contains("alert") { return (.tls, describeTLS(code)) }
        if detail.contains("chunk") {
            return (.malformedResponse, HTTPError.malformed(address, detail).message)
        }
        guard hasAnswer else {
            return (.closedEarly, HTTPError.closedBeforeAnswer(address).message)
        }
        return (
            .closedEarly,
            "\(place) closed the connection before the end of its answer; see the server's own log"
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
            + (isPlain ? "; see whether it speaks TLS, or write http://" : "")
    }

    /// What a proxy said instead of opening a tunnel.
    private var refusalByProxy: String? {
        let status = easy.longInfo(CURLINFO_HTTP_CONNECTCODE)
        guard status >= 300, job.spec.proxy != nil else { return nil }
        let remedy = status == 407 ? "; give user and password in its address" : ""
        return "the proxy \(proxyPlace) refused a way to \(place) with status \(status)\(remedy)"
    }

    private var proxyPlace: String { job.spec.proxy?.authority ?? "" }

    /// libcurl's own words, the exact ones where it gives them.
    private func detail(_ code: CURLcode) -> String {
        let exact = unsafe String(cString: easy.errorText)
        return exact.isEmpty ? code.explanation : exact
    }

    private func errno(_ number: Int) -> (number: Int32, text: String) {
        guard number != 0 else { return (0, "no connection") }
        return unsafe (Int32(number), String(cString: strerror(Int32(number))))
    }

    private static let tlsCodes = [
        CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM,
        CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR,
        CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_SHUTDOWN_FAILED,
        CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
    ]
}

extension String {
    /// What follows a prefix, or all when there is none.
    fileprivate func components(after prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
