import MasterKit

/// A readable transcript of a request and its response, without credentials.
struct Transcript {
    /// The maximum size of a body to show, in bytes.
    private static let bodyLimit = 64 << 10

    private let method: HTTPMethod
    private let address: String
    private let outcome: String
    private let sent: [String]
    private let received: [String]

    /// Describes a request and its response.
    init(of request: HTTPRequest, answered response: HTTPResponse, hiding mask: SecretMask) {
        let exchange = response.final
        let body = Self.body(exchange.body, mask)
        self.init(
            request, outcome: "answered \(exchange.status) \(exchange.reason)",
            headers: exchange.requestHeaders,
            received: HeaderListing().lines(exchange.headers) + body, mask)
    }

    /// Describes a request without a response.
    init(of request: HTTPRequest, failing reason: String, hiding mask: SecretMask) {
        self.init(
            request, outcome: "failed: \(reason)", headers: request.headers, received: [], mask)
    }

    private init(
        _ request: HTTPRequest, outcome: String, headers: HTTPHeaders, received: [String],
        _ mask: SecretMask
    ) {
        method = request.method
        address = mask.apply(to: HTTPAddress.withoutUser(request.url))
        self.outcome = mask.apply(to: outcome)
        sent = (HeaderListing().lines(headers) + Self.body(request.bodyBytes, mask)).map(mask.apply)
        self.received = received.map(mask.apply)
    }

    /// The transcript: the request, then the lines sent (after `>`) and received (after `<`).
    func text(elapsed: Duration) -> String {
        let milliseconds = Int(elapsed / .milliseconds(1))
        let lines =
            ["\(method) \(address) \(outcome) (\(milliseconds) ms)"]
            + sent.map { "> \($0)" } + received.map { "< \($0)" }
        return lines.joined(separator: "\n")
    }

    /// The lines of a body; masked as a whole, before lines and limit can split a secret.
    private static func body(_ bytes: [UInt8], _ mask: SecretMask) -> [String] {
        guard !bytes.isEmpty else { return [] }
        let bytes = mask.apply(to: bytes)
        let text = String(decoding: bytes.prefix(bodyLimit), as: UTF8.self)
        let rest = bytes.count > bodyLimit ? ["… (\(bytes.count) bytes in all)"] : []
        return [""] + text.split(whereSeparator: \.isNewline).map(String.init) + rest
    }
}

extension HTTPRequest {
    fileprivate var bodyBytes: [UInt8] {
        guard case .bytes(let bytes, _) = body else { return [] }
        return bytes
    }
}
