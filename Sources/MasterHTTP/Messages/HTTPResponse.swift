/// What a request led to: the final answer, and the redirects before it.
public struct HTTPResponse: Sendable, Hashable {
    /// The redirects followed, in their order.
    public var history: [HTTPExchange]
    /// The last exchange.
    public var final: HTTPExchange

    /// Makes a response of its last exchange and those before it.
    public init(history: [HTTPExchange] = [], final: HTTPExchange) {
        self.history = history
        self.final = final
    }

    /// Every hop, the final one last.
    public var exchanges: [HTTPExchange] { history + [final] }
    /// The final status code.
    public var status: Int { final.status }
    /// The words after the final status code.
    public var reason: String { final.reason }
    /// The final headers.
    public var headers: HTTPHeaders { final.headers }
    /// The final body.
    public var body: [UInt8] { final.body }
    /// The final body as text.
    public var text: String { final.text }
    /// Whether the final status is of the 200s.
    public var isSuccess: Bool { final.isSuccess }
}
