/// Why a request failed, and the exchanges before that.
///
/// A 4xx or 5xx status is not an error. Messages never contain a password, a token, a header value,
/// or the user in a URL.
public struct HTTPError: Error, Sendable, Hashable {
    /// The kind of error.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The URL is invalid.
        case invalidURL
        /// The URL is neither `http` nor `https`.
        case unsupportedScheme
        /// The method is not a token.
        case invalidMethod
        /// A header or cookie contains invalid characters.
        case invalidHeader
        /// The host name does not resolve.
        case nameNotFound
        /// The connection was refused.
        case refused
        /// The host cannot be reached.
        case unreachable
        /// The connection was not established in time.
        case connectTimeout
        /// Nothing was sent or received for too long.
        case silenceTimeout
        /// The request took too long in total.
        case totalTimeout
        /// TLS failed, or a certificate is not trusted.
        case tls
        /// The proxy's URL is invalid, or the proxy cannot be reached or refused the request.
        case proxy
        /// The redirect limit was exceeded.
        case tooManyRedirects
        /// A redirect leads to a URL that the client does not follow.
        case badRedirect
        /// The response body exceeds the limit.
        case tooLarge
        /// The response headers exceed the limit.
        case headersTooLarge
        /// The server closed the connection too early.
        case closedEarly
        /// The response is not valid HTTP.
        case malformedResponse
        /// The file to send cannot be read.
        case fileUnreadable
        /// The temporary file for a body cannot be written or read.
        case spoolFailed
        /// No user and password were found.
        case noCredentials
        /// The task was cancelled.
        case cancelled
        /// The client was shut down.
        case shutDown
        /// Another libcurl or system failure.
        case transferFailed
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and how to fix it.
    public let message: String
    /// The exchanges completed before the failure.
    public var exchanges: [HTTPExchange]
    /// The failed exchange, as far as it got, or `nil` if nothing is known to have been sent.
    ///
    /// Its status is 0 if no response was received.
    public var unfinished: HTTPExchange?
    /// Whether any of the request was sent, so that the server may have acted on it.
    public var mayHaveArrived: Bool

    /// Creates an error.
    public init(
        _ code: Code, _ message: String, exchanges: [HTTPExchange] = [],
        mayHaveArrived: Bool = false
    ) {
        self.code = code
        self.message = message
        self.exchanges = exchanges
        self.mayHaveArrived = mayHaveArrived
    }
}

extension HTTPError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

/// Replaces secrets and anything else that must not be shown.
public typealias HTTPHiding = @Sendable (String) -> String

/// An address as shown in errors and exchanges.
///
/// Secrets are hidden in the address as written; parsed and encoded, they might not be recognized.
struct ShownAddress: Sendable, Equatable {
    /// Host and port.
    let authority: String
    /// The address without user, password and fragment.
    let url: String
    /// Whether anything was replaced.
    let isHidden: Bool

    init(_ address: HTTPAddress, hiding: HTTPHiding?) {
        self.init(
            written: address.text, url: address.encoded, authority: address.authority,
            hiding: hiding)
    }

    /// Shows the written address if it contains anything to hide, or else the parsed one.
    init(written: String, url: String, authority: String, hiding: HTTPHiding?) {
        guard let hiding else {
            (self.authority, self.url, isHidden) = (authority, url, false)
            return
        }
        let hidden = hiding(written)
        guard hidden == written else {
            (self.authority, self.url) = Self.parts(of: hidden)
            isHidden = true
            return
        }
        self.authority = hiding(authority)
        self.url = hiding(url)
        isHidden = self.authority != authority
    }

    /// Splits an address in which any part may have been replaced by a name in angle brackets.
    private static func parts(of hidden: String) -> (authority: String, url: String) {
        let lowered = hidden.lowercased()
        let scheme = ["http://", "https://"].first { lowered.hasPrefix($0) } ?? ""
        var (authority, rest) = ("", "")
        var (isName, isRest) = (false, false)
        for character in hidden.dropFirst(scheme.count) {
            if character == "<" { isName = true }
            if character == ">" { isName = false }
            if !isName, character == "#" { break }
            if !isName, "/?".contains(character) { isRest = true }
            if isRest {
                rest.append(character)
            } else if !isName, character == "@" {
                authority = ""
            } else {
                authority.append(character)
            }
        }
        return (authority, "\(scheme)\(authority)\(rest)")
    }
}

/// Transfer errors that do not come from libcurl codes.
extension HTTPError {
    static let outOfMemory = HTTPError(
        .transferFailed, "the HTTP client is out of memory; run fewer requests at once")

    static let noDescriptors = HTTPError(
        .transferFailed,
        "no file descriptors left for a connection; raise the limit of open files (ulimit -n), or "
            + "run fewer requests at once"
    )

    static let cancelled = HTTPError(.cancelled, "the request was cancelled")

    static let shutDown = HTTPError(
        .shutDown, "the HTTP client was shut down; make a new one to send more requests")

    static func silenceTimeout(_ request: OutgoingRequest) -> HTTPError {
        HTTPError(
            .silenceTimeout,
            "no answer from \(request.route) for \(request.timeout.silence.forMessages); "
                + "check whether the server hangs, or raise the timeout",
            mayHaveArrived: true
        )
    }

    static func fileTimeout(_ request: OutgoingRequest, mayHaveArrived: Bool) -> HTTPError {
        let file = if case .file(let path) = request.body { " \(path)" } else { "" }
        return HTTPError(
            .fileUnreadable,
            "the file\(file) could not be read within \(request.timeout.silence.forMessages); "
                + "check whether its disk or network share hangs",
            mayHaveArrived: mayHaveArrived
        )
    }

    static func totalTimeout(_ request: OutgoingRequest, mayHaveArrived: Bool = false) -> HTTPError
    {
        HTTPError(
            .totalTimeout,
            "the request to \(request.route) took longer than its total timeout; "
                + "raise it, or check why the server is slow",
            mayHaveArrived: mayHaveArrived
        )
    }

    static func tooLarge(_ place: String, limit: Int) -> HTTPError {
        HTTPError(
            .tooLarge,
            "the answer from \(place) has more than \(limit) bytes; "
                + "raise the limit if such an answer is expected",
            mayHaveArrived: true
        )
    }

    static func headersTooLarge(_ place: String) -> HTTPError {
        HTTPError(
            .headersTooLarge,
            "the headers from \(place) are too large: more than 256 KiB or "
                + "\(IncomingResponse.mostHeadLines) lines, trailers included",
            mayHaveArrived: true
        )
    }

    static func headerLineTooLong(_ place: String) -> HTTPError {
        HTTPError(
            .headersTooLarge,
            "the answer from \(place) has a status line, header or trailer that is too long; see "
                + "whether something else listens on that port",
            mayHaveArrived: true
        )
    }

    static func tooManyInterimResponses(_ place: String, limit: Int) -> HTTPError {
        HTTPError(
            .malformedResponse,
            "\(place) sent more than \(limit) interim answers (status 1xx) and no final one; "
                + "check the server's log",
            mayHaveArrived: true
        )
    }

    static func closedBeforeResponse(_ request: OutgoingRequest) -> HTTPError {
        let place = request.place.authority
        guard let proxy = request.proxy, request.address.scheme == "http" else {
            return HTTPError(
                .closedEarly,
                "\(place) closed the connection before it answered; check the server's log",
                mayHaveArrived: true)
        }
        return HTTPError(
            .closedEarly,
            "the proxy \(proxy.authority) closed the connection before it passed on an answer of "
                + "\(place); check the proxy's log",
            mayHaveArrived: true
        )
    }

    static func closedBeforeRequest(_ place: String) -> HTTPError {
        HTTPError(
            .closedEarly,
            "\(place) closed each connection before the request could be sent on it; check the "
                + "server's log"
        )
    }

    static func cutBody(_ place: String) -> HTTPError {
        HTTPError(
            .closedEarly,
            "the compressed body of the answer from \(place) is incomplete; check the server's log",
            mayHaveArrived: true)
    }

    static func undecodable(
        _ place: String, _ fault: ContentDecoder.Fault, _ encoding: String
    ) -> HTTPError {
        let message =
            switch fault {
            case .corruptData:
                "the body of the answer from \(place) is not valid \(encoding), as its "
                    + "Content-Encoding says; check the server's log"
            case .unknownEncoding:
                "the answer from \(place) has the content encoding \(quoted(encoding)); "
                    + "gzip, deflate and br are accepted"
            }
        return HTTPError(.malformedResponse, message, mayHaveArrived: true)
    }

    static func malformed(_ place: String, _ detail: String = "") -> HTTPError {
        HTTPError(
            .malformedResponse,
            "the answer from \(place) is not HTTP\(detail.isEmpty ? "" : ": \(detail)"); "
                + "check whether something else listens on that port",
            mayHaveArrived: true
        )
    }

    static func tooManyRedirects(limit: Int, at place: String) -> HTTPError {
        HTTPError(
            .tooManyRedirects,
            "more than \(limit) redirects, the last by \(place); possible redirect loop",
            mayHaveArrived: true)
    }

    static func badRedirect(_ message: String) -> HTTPError {
        HTTPError(.badRedirect, message, mayHaveArrived: true)
    }
}

extension Duration {
    /// The duration as text, such as `60 s` or `0.25 s`.
    var forMessages: String {
        let milliseconds =
            components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        guard milliseconds % 1000 != 0 else { return "\(milliseconds / 1000) s" }
        return "\(Double(milliseconds) / 1000) s"
    }
}

/// Errors found in a request before anything is sent.
extension HTTPError {
    static func invalidMethod(_ method: HTTPMethod) -> HTTPError {
        guard method.rawValue != "CONNECT" else {
            return HTTPError(.invalidMethod, "the method CONNECT is for proxies and cannot be sent")
        }
        return HTTPError(
            .invalidMethod,
            "\(quoted(method.rawValue)) is not an HTTP method; write one word such as GET or POST")
    }

    static let bodyOfHead = HTTPError(
        .invalidMethod, "a HEAD request cannot have a body; omit it, or use GET")

    static func invalidHeader(name: String) -> HTTPError {
        HTTPError(
            .invalidHeader, "\(quoted(name)) is not a header name; use letters, digits and hyphens")
    }

    static func invalidHeader(valueOf name: String) -> HTTPError {
        HTTPError(
            .invalidHeader,
            "the value of the header \(name) has a line end or another control character; "
                + "write it on one line"
        )
    }

    static func reservedHeader(_ name: String) -> HTTPError {
        HTTPError(.invalidHeader, "the header \(name) is computed from the body; omit it")
    }

    static func invalidCookie(_ name: String) -> HTTPError {
        HTTPError(
            .invalidHeader,
            "the cookie \(quoted(name)) has a semicolon, a line end or another control character; "
                + "encode it"
        )
    }

    static func invalidSecret(_ what: String) -> HTTPError {
        HTTPError(.invalidHeader, "\(what) has a line end or another control character; remove it")
    }

    static func noCredentials(_ reason: String) -> HTTPError {
        HTTPError(.noCredentials, "no user and password for the request: \(reason)")
    }

    static func spoolFailed(_ folder: String, reason: String) -> HTTPError {
        HTTPError(
            .spoolFailed,
            "cannot write the request body to a temporary file in \(folder) (\(reason)); "
                + "free space there, or set TMPDIR to another folder"
        )
    }

    static func fileUnreadable(_ fault: OpenFile.Fault) -> HTTPError {
        HTTPError(.fileUnreadable, "the file \(fault.path) cannot be sent: \(fault.reason)")
    }

    /// The text in quotes, with control characters escaped and truncated if long.
    static func quoted(_ text: String) -> String {
        let cut = text.count > 80 ? text.prefix(80) + "…" : text[...]
        var escaped = ""
        for scalar in cut.unicodeScalars {
            escaped +=
                scalar.value < 0x20 || scalar.value == 0x7F
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "\"\(escaped)\""
    }
}
