/// One request as it was sent and the answer to it.
public struct HTTPExchange: Sendable, Hashable {
    /// The method sent.
    public var method: HTTPMethod
    /// The address asked, with its query, without user, password and fragment.
    public var url: String
    /// The headers as they were sent, `Host`, `Cookie` and `Authorization` included.
    ///
    /// Empty when the request was told not to record them.
    public var requestHeaders: HTTPHeaders {
        get { sent.headers }
        set { sent = .read(newValue) }
    }
    /// The status code of the answer; 0 in an unfinished exchange without one.
    public var status: Int
    /// The words after the status code; may be empty.
    public var reason: String
    /// The headers of the answer.
    public var headers: HTTPHeaders {
        get { received.headers }
        set { received = .read(newValue) }
    }
    /// The body, decompressed; empty when it was handed to a receiver.
    public var body: [UInt8]
    /// From the start of the hop to its last byte.
    public var duration: Duration

    private var sent: MessageHead
    private var received: MessageHead

    /// Makes an exchange of its parts.
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

    /// Makes an exchange of heads whose headers are read when they are asked for.
    init(method: HTTPMethod, url: String, statusLine: StatusLine?, answer: TransferOutcome.Answer) {
        self.method = method
        self.url = url
        status = statusLine?.status ?? 0
        reason = statusLine?.reason ?? ""
        body = answer.body
        duration = answer.duration
        sent = .unread(answer.requestHead)
        received = .unread(answer.head)
    }

    /// Whether the status is of the 200s.
    public var isSuccess: Bool { (200..<300).contains(status) }

    /// The body as text: UTF-8, what is none becoming U+FFFD, unless the headers say Latin-1.
    public var text: String {
        let type = headers["Content-Type"]?.lowercased() ?? ""
        guard type.contains("charset=iso-8859-1") || type.contains("charset=latin-1") else {
            return String(decoding: body, as: UTF8.self)
        }
        return String(String.UnicodeScalarView(body.map { Unicode.Scalar($0) }))
    }
}
