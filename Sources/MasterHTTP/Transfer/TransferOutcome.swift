/// What became of one transfer, as the loop's thread hands it over: bytes, not yet read.
enum TransferOutcome: Sendable {
    case answered(Answer)
    case failed(HTTPError)

    /// A complete answer.
    struct Answer: Sendable {
        /// The request line and headers as sent.
        let requestHead: [UInt8]
        /// The status line and headers as received.
        let head: [UInt8]
        let body: [UInt8]
        let duration: Duration
    }

    /// The exchange that the transfer was.
    func exchange(method: HTTPMethod, _ address: HTTPAddress) throws(HTTPError) -> HTTPExchange {
        switch self {
        case .failed(let error): throw error
        case .answered(let answer):
            guard let line = StatusLine(answer.head) else { throw .malformed(address) }
            return HTTPExchange(
                method: method,
                url: address.text,
                statusLine: line,
                answer: answer
            )
        }
    }
}
