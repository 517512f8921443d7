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
