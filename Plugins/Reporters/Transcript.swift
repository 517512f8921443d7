import MasterKit

/// What a request and its answer looked like, for people; credentials are hidden.
struct Transcript {
    private let method: HTTPMethod
    private let address: String
    private let outcome: String
    private let sent: [String]
    private let received: [String]

    /// Describes a request and its answer.
    init(of request: HTTPRequest, answered response: HTTPResponse) {
        let exchange = response.final
        self.init(
            request, outcome: "answered \(exchange.status) \(exchange.reason)",
            headers: exchange.requestHeaders,
            received: HeaderListing().lines(exchange.headers) + Self.body(exchange.text))
    }

    /// Describes a request that got no answer.
    init(of request: HTTPRequest, failing reason: String) {
        self.init(
            request, outcome: "failed: \(reason)", headers: request.headers, received: [])
    }

    private init(
        _ request: HTTPRequest, outcome: String, headers: HTTPHeaders, received: [String]
    ) {
        method = request.method
        address = HTTPAddress.withoutUser(request.url)
        self.outcome = outcome
        sent = HeaderListing().lines(headers) + Self.body(request.bodyText)
        self.received = received
    }

    /// The transcript: what was asked, then what was sent after `>` and what came after `<`.
    func text(elapsed: Duration) -> String {
        let milliseconds = Int(elapsed / .milliseconds(1))
        let lines =
            ["\(method) \(address) \(outcome) (\(milliseconds) ms)"]
            + sent.map { "> \($0)" } + received.map { "< \($0)" }
        return lines.joined(separator: "\n")
    }

    private static func body(_ text: String) -> [String] {
        text.isEmpty ? [] : [""] + text.split(separator: "\n").map(String.init)
    }
}

extension HTTPRequest {
    fileprivate var bodyText: String {
        guard case .bytes(let bytes, _) = body else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
