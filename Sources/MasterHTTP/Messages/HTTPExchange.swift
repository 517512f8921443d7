/// One request as it was sent and the answer to it.
public struct HTTPExchange: Sendable, Hashable {
    /// The method sent.
    public var method: HTTPMethod
    /// The address asked, with its query, without user, password and fragment.
    public var url: String
    /// The headers as they were sent, `Host`, `Cookie` and `Authorization` included.
    public var requestHeaders: HTTPHeaders
    /// The status code of the answer.
    public var status: Int
    /// The words after the status code; may be empty.
    public var reason: String
    /// The headers of the answer.
    public var headers: HTTPHeaders
    /// The body, decompressed; empty when it was handed to a receiver.
    public var body: [UInt8]
    /// From the start of the hop to its last byte.
    public var duration: Duration

    /// Makes an exchange of its parts.
    public init(
        method: HTTPMethod = .get,
        url: String,
        requestHeaders: HTTPHeaders = [:],
        status: Int = 200,
        reason: String = "",
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        duration: Duration = .zero
    ) {
        self.method = method
        self.url = url
        self.requestHeaders = requestHeaders
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
        self.duration = duration
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
