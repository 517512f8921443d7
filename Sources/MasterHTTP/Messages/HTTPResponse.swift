/// The final response to a request, and the redirects before it.
public struct HTTPResponse: Sendable, Hashable {
    /// The redirects followed, in order.
    public var history: [HTTPExchange]
    /// The last exchange.
    public var final: HTTPExchange

    /// Creates a response from its final exchange and those before it.
    public init(history: [HTTPExchange] = [], final: HTTPExchange) {
        self.history = history
        self.final = final
    }

    /// All exchanges, ending with the final one.
    public var exchanges: [HTTPExchange] { history + [final] }
    /// The final status code.
    public var status: Int { final.status }
    /// The final reason phrase.
    public var reason: String { final.reason }
    /// The final headers.
    public var headers: HTTPHeaders { final.headers }
    /// The final body.
    public var body: [UInt8] { final.body }
    /// The final body as text.
    public var text: String { final.text }
    /// Whether the final status is 2xx.
    public var isSuccess: Bool { final.isSuccess }
}

/// A request as sent, and the response to it.
public struct HTTPExchange: Sendable, Hashable {
    /// The method sent.
    public var method: HTTPMethod
    /// The URL requested, with its query, but without user, password and fragment.
    public var url: String
    /// The headers as sent, including `Host`, `Cookie` and `Authorization`.
    ///
    /// Empty if the request did not record them.
    public var requestHeaders: HTTPHeaders {
        get { sent.headers }
        set { sent = .read(newValue) }
    }
    /// The status code of the response, or 0 if an unfinished exchange has none.
    public var status: Int
    /// The reason phrase; may be empty.
    public var reason: String
    /// The headers of the response.
    public var headers: HTTPHeaders {
        get { received.headers }
        set { received = .read(newValue) }
    }
    /// The decompressed body; empty if it was passed to a receiver.
    public var body: [UInt8]
    /// The time from the start of the request to the last byte of the response.
    public var duration: Duration

    private var sent: MessageHead
    private var received: MessageHead

    /// Creates an exchange.
    public init(
        method: HTTPMethod = .get, url: String, requestHeaders: HTTPHeaders = [:],
        status: Int = 200, reason: String = "", headers: HTTPHeaders = [:], body: [UInt8] = [],
        duration: Duration = .zero
    ) {
        self.method = method
        self.url = url
        sent = .read(requestHeaders)
        self.status = status
        self.reason = reason
        received = .read(headers)
        self.body = body
        self.duration = duration
    }

    /// Creates an exchange from raw heads, whose headers are parsed on demand.
    init(
        method: HTTPMethod, url: String, statusLine: StatusLine?, requestHead: [UInt8],
        head: [UInt8], body: [UInt8], duration: Duration
    ) {
        self.method = method
        self.url = url
        status = statusLine?.status ?? 0
        reason = statusLine?.reason ?? ""
        self.body = body
        self.duration = duration
        sent = .unread(requestHead)
        received = .unread(head)
    }

    /// Whether the status is 2xx.
    public var isSuccess: Bool { (200..<300).contains(status) }

    /// The body as text: UTF-8, with U+FFFD for invalid bytes, unless the headers specify Latin-1.
    public var text: String {
        let type = headers["Content-Type"]?.lowercased() ?? ""
        guard type.contains("charset=iso-8859-1") || type.contains("charset=latin-1") else {
            return String(decoding: body, as: UTF8.self)
        }
        return String(String.UnicodeScalarView(body.map { Unicode.Scalar($0) }))
    }
}

/// The headers of a message, parsed on demand, as most are never used.
enum MessageHead: Sendable {
    case read(HTTPHeaders)
    case unread([UInt8])

    var headers: HTTPHeaders {
        switch self {
        case .read(let headers): headers
        case .unread(let bytes): HTTPHeaders(head: bytes)
        }
    }
}

extension MessageHead: Hashable {
    static func == (one: MessageHead, other: MessageHead) -> Bool {
        one.headers == other.headers
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(headers)
    }
}
