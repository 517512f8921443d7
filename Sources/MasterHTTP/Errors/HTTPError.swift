/// Why there is no answer: what went wrong, in words, and what was exchanged before.
///
/// An answer with a status of the 400s or 500s is an answer, not an error. No message holds a
/// password, a token, a header's value or the user part of an address.
public struct HTTPError: Error, Sendable, Hashable {
    /// The kind of fault.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The address is none.
        case invalidURL
        /// The address is neither `http` nor `https`.
        case unsupportedScheme
        /// The method is no token.
        case invalidMethod
        /// A header or cookie cannot be sent.
        case invalidHeader
        /// The host's name is not known.
        case nameNotFound
        /// Nothing listens there.
        case refused
        /// There is no way to the host.
        case unreachable
        /// The connection did not stand in time.
        case connectTimeout
        /// Nothing came, and nothing was taken, for too long.
        case silenceTimeout
        /// The whole took too long.
        case totalTimeout
        /// TLS failed, or a certificate is not trusted.
        case tls
        /// The proxy's address is none, it cannot be reached, or it refuses.
        case proxy
        /// The limit of redirects was reached.
        case tooManyRedirects
        /// A redirect leads where the client does not go.
        case badRedirect
        /// The body of the answer is larger than allowed.
        case tooLarge
        /// The headers of the answer are larger than any server's.
        case headersTooLarge
        /// The server closed the connection before the end.
        case closedEarly
        /// The answer is no HTTP.
        case malformedResponse
        /// The file to be sent cannot be read.
        case fileUnreadable
        /// The temporary file for what is to be sent cannot be written or read.
        case spoolFailed
        /// No user and password are known where they are asked for.
        case noCredentials
        /// The task that waited was cancelled.
        case cancelled
        /// The client was shut down.
        case shutDown
        /// libcurl failed in a way that has no kind of its own.
        case transferFailed
    }

    /// The kind of fault.
    public let code: Code
    /// What went wrong and how it may be remedied.
    public let message: String
    /// The exchanges that were completed before.
    public var exchanges: [HTTPExchange]
    /// The exchange that failed, as far as it came; `nil` when none of it is known to be sent.
    ///
    /// Its status is 0 when no answer had begun.
    public var unfinished: HTTPExchange?
    /// Whether a byte of the request was sent, so that the server may have acted on it.
    public var mayHaveArrived: Bool

    /// Makes an error of its kind and words.
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
