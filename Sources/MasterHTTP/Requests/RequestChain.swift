/// A request and its redirects.
struct RequestChain {
    /// The next request to send.
    private(set) var request: OutgoingRequest
    private var history: [HTTPExchange] = []

    init(_ request: consuming OutgoingRequest) {
        self.request = request
    }

    /// Processes the outcome of `request`; returns the response if it is final, or else sets
    /// `request` to the next one.
    mutating func take(_ outcome: Transfer.Outcome) throws(HTTPError) -> HTTPResponse? {
        do throws(HTTPError) {
            let exchange = try outcome.get()
            guard case .follow(let limit) = request.redirects,
                let next = try next(after: exchange)
            else { return HTTPResponse(history: history, final: exchange) }
            guard history.count <= limit else {
                throw HTTPError.tooManyRedirects(limit: limit, at: request.place.authority)
            }
            request = next
            return nil
        } catch {
            guard !history.isEmpty else { throw error }
            var error = error
            error.exchanges = history
            error.mayHaveArrived = true
            throw error
        }
    }

    private mutating func next(after exchange: HTTPExchange) throws(HTTPError) -> OutgoingRequest? {
        do {
            let next = try request.redirected(by: exchange)
            if next != nil { history.append(exchange) }
            return next
        } catch {
            history.append(exchange)
            throw error
        }
    }

    /// Adds the exchanges so far to an error thrown by the receiver of the body.
    func fault(_ error: HTTPError, thrownAt outcome: Transfer.Outcome) -> HTTPError {
        var error = error
        error.exchanges = history
        switch outcome {
        case .success(let exchange): error.unfinished = exchange
        case .failure(let fault): error.unfinished = fault.unfinished
        }
        return error
    }
}
