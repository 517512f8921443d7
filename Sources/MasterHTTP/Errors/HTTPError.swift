/// Why a request failed, and what was exchanged before.
///
/// An answer with a status of the 400s or 500s is an answer, not an error. No message holds a
/// password, a token, a header's value or the user part of an address.
public struct HTTPError: Error, Sendable, Hashable {
    /// The kind of error.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The URL is invalid.
        case invalidURL
        /// The URL is neither `http` nor `https`.
        case unsupportedScheme
        /// The method is not a token.
        case invalidMethod
        /// A header or cookie cannot be sent.
        case invalidHeader
        /// The host name does not resolve.
        case nameNotFound
        /// Nothing listens there.
        case refused
        /// The host cannot be reached.
        case unreachable
        /// The connection was not made in time.
        case connectTimeout
        /// No byte was sent or received for too long.
        case silenceTimeout
        /// The request took too long in total.
        case totalTimeout
        /// TLS failed, or a certificate is not trusted.
        case tls
        /// The proxy's URL is invalid, it cannot be reached, or it refuses.
        case proxy
        /// The limit of redirects was reached.
        case tooManyRedirects
        /// A redirect leads where the client does not follow.
        case badRedirect
        /// The body of the answer is larger than allowed.
        case tooLarge
        /// The headers of the answer are too large.
        case headersTooLarge
        /// The server closed the connection before the end.
        case closedEarly
        /// The answer is not valid HTTP.
        case malformedResponse
        /// The file to be sent cannot be read.
        case fileUnreadable
        /// The temporary file of a body cannot be written or read.
        case spoolFailed
        /// A user and password are needed and not known.
        case noCredentials
        /// The task was cancelled.
        case cancelled
        /// The client was shut down.
        case shutDown
        /// libcurl failed in another way.
        case transferFailed
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and how to remedy it.
    public let message: String
    /// The exchanges that were completed before.
    public var exchanges: [HTTPExchange]
    /// The exchange that failed, as far as it came; `nil` when none of it is known to be sent.
    ///
    /// Its status is 0 when no answer had begun.
    public var unfinished: HTTPExchange?
    /// Whether a byte of the request was sent, so that the server may have acted on it.
    public var mayHaveArrived: Bool

    /// Makes an error.
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
