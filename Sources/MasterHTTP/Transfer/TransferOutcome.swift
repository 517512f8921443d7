/// What became of one transfer, as the loop's thread hands it over: bytes, not yet read.
enum TransferOutcome: Sendable {
    case answered(Answer)
    /// The answer holds what came before the fault, once the request was under way.
    case failed(HTTPError, Answer? = nil)

    /// A complete answer, or the beginning of one.
    struct Answer: Sendable {
        /// The request line and headers as sent.
        let requestHead: [UInt8]
        /// The status line and headers as received.
        let head: [UInt8]
        let body: [UInt8]
        let duration: Duration
    }

    /// The exchange that the transfer was.
    func exchange(method: HTTPMethod, _ place: ShownAddress) throws(HTTPError) -> HTTPExchange {
        switch self {
        case .failed(var error, let answer):
            guard let answer else { throw error }
            let line = StatusLine(answer.head)
            error.unfinished = HTTPExchange(
                method: method, url: place.url, statusLine: line, answer: answer)
            throw error
        case .answered(let answer):
            guard let line = StatusLine(answer.head) else { throw .malformed(place.authority) }
            return HTTPExchange(method: method, url: place.url, statusLine: line, answer: answer)
        }
    }
}
