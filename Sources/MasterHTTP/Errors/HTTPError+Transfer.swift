/// The faults of a transfer that have nothing to do with libcurl's codes.
extension HTTPError {
    static let outOfMemory = HTTPError(
        .transferFailed,
        "the HTTP client has no memory left; run fewer requests at once"
    )

    static let cancelled = HTTPError(.cancelled, "the request was cancelled")

    static let shutDown = HTTPError(
        .shutDown,
        "the HTTP client was shut down; make a new one to send more requests"
    )

    static func silenceTimeout(_ spec: TransferSpec) -> HTTPError {
        HTTPError(
            .silenceTimeout,
            "no answer from \(spec.hop.address.authority) for \(spec.timeout.silence.inWords); "
                + "see whether the server hangs, or raise the timeout",
            mayHaveArrived: true
        )
    }

    static func totalTimeout(_ spec: TransferSpec, mayHaveArrived: Bool = false) -> HTTPError {
        HTTPError(
            .totalTimeout,
            "the request to \(spec.hop.address.authority) was not done in the time it had; "
                + "raise the total timeout, or see why the server is slow",
            mayHaveArrived: mayHaveArrived
        )
    }

    static func tooLarge(_ address: HTTPAddress, limit: Int) -> HTTPError {
        HTTPError(
            .tooLarge,
            "the answer of \(address.authority) has more than \(limit) bytes; "
                + "raise the limit if such an answer is expected",
            mayHaveArrived: true
        )
    }

    static func headersTooLarge(_ address: HTTPAddress) -> HTTPError {
        HTTPError(
            .headersTooLarge,
            "the headers of the answer of \(address.authority) have more than 256 KiB",
            mayHaveArrived: true
        )
    }

    static func closedBeforeAnswer(_ address: HTTPAddress) -> HTTPError {
        HTTPError(
            .closedEarly,
            "\(address.authority) closed the connection before it answered; "
                + "see the server's own log",
            mayHaveArrived: true
        )
    }

    static func malformed(_ address: HTTPAddress, _ detail: String = "") -> HTTPError {
        HTTPError(
            .malformedResponse,
            "the answer of \(address.authority) is no HTTP\(detail.isEmpty ? "" : ": \(detail)"); "
                + "see whether something else listens on that port",
            mayHaveArrived: true
        )
    }

    static func tooManyRedirects(
        limit: Int,
        at address: HTTPAddress,
        exchanges: [HTTPExchange]
    ) -> HTTPError {
        HTTPError(
            .tooManyRedirects,
            "more than \(limit) redirects, the last by \(address.authority); "
                + "see whether the server sends its visitors in a circle",
            exchanges: exchanges,
            mayHaveArrived: true
        )
    }

    static func badRedirect(from address: HTTPAddress, _ what: String) -> HTTPError {
        HTTPError(
            .badRedirect,
            "\(address.authority) redirects to \(what)",
            mayHaveArrived: true
        )
    }

    /// The same error with what was exchanged until the receiver of a body threw it.
    func ending(_ outcome: Result<HTTPResponse, HTTPError>) -> HTTPError {
        var error = self
        switch outcome {
        case .success(let response):
            error.exchanges = response.history
            error.unfinished = response.final
        case .failure(let fault):
            error.exchanges = fault.exchanges
            error.unfinished = fault.unfinished
        }
        return error
    }

    /// The same error after these exchanges.
    func following(_ history: [HTTPExchange]) -> HTTPError {
        guard !history.isEmpty else { return self }
        var error = self
        error.exchanges = history
        error.mayHaveArrived = true
        return error
    }
}

extension Duration {
    /// The duration as a person writes it: `60 s`, `0.25 s`.
    var inWords: String {
        let milliseconds =
            components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        guard milliseconds % 1000 != 0 else { return "\(milliseconds / 1000) s" }
        return "\(Double(milliseconds) / 1000) s"
    }
}
