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
