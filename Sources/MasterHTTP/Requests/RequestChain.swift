/// A request and the redirects that it led to.
struct RequestChain {
    /// The request to be sent next.
    private(set) var request: OutgoingRequest
    private var history: [HTTPExchange] = []

    init(_ request: consuming OutgoingRequest) {
        self.request = request
    }

    /// Takes what became of `request`: the response when it is final; otherwise `request` is the
    /// next one.
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

    /// The error that the receiver of a body threw, with what was exchanged until then.
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
