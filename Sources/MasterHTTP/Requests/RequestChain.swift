/// A request on its way: hop after hop, until an answer is final.
struct RequestChain {
    private let redirects: HTTPRedirects
    private let timeout: HTTPTimeout
    private let responseLimit: Int
    private let cutsLongBody: Bool
    private let recordsRequestHeaders: Bool
    private let client: HTTPClient
    private let jar: CookieJar?
    private let tls: HTTPTLS
    private let proxies: HTTPProxies
    private let deadline: ContinuousClock.Instant?
    private var hop: OutgoingRequest
    private var history: [HTTPExchange] = []

    /// Checks the request, and merges what session and client add to it.
    init(
        _ request: HTTPRequest, session: HTTPSession?, client: HTTPClient, hiding: HTTPHiding?
    ) throws(HTTPError) {
        redirects = request.redirects
        timeout = request.timeout
        responseLimit = request.responseLimit
        cutsLongBody = request.cutsLongBody
        recordsRequestHeaders = request.recordsRequestHeaders
        self.client = client
        jar = session?.jar
        tls = request.tls ?? session?.configuration.tls ?? HTTPTLS()
        proxies = request.proxies ?? session?.configuration.proxies ?? .environment
        deadline = request.timeout.total.map { ContinuousClock.now + $0 }
        hop = try OutgoingRequest(
            request, session: session?.configuration, client: client, hiding: hiding)
    }

    /// Sends hop after hop; each is carried by the closure.
    consuming func travel(
        _ carry: (TransferSpec) async -> TransferOutcome
    ) async throws(HTTPError) -> HTTPResponse {
        while true {
            let exchange = try await exchange(carry)
            guard case .follow(let limit) = redirects, let next = try next(after: exchange)
            else { return HTTPResponse(history: history, final: exchange) }
            history.append(exchange)
            guard history.count <= limit else {
                throw .tooManyRedirects(limit: limit, at: hop.place.authority, exchanges: history)
            }
            hop = next
        }
    }

    private func exchange(
        _ carry: (TransferSpec) async -> TransferOutcome
    ) async throws(HTTPError) -> HTTPExchange {
        do {
            return try await carry(specification()).exchange(method: hop.method, hop.place)
        } catch {
            throw error.following(history)
        }
    }

    private func next(after exchange: HTTPExchange) throws(HTTPError) -> OutgoingRequest? {
        do {
            return try hop.redirected(by: exchange)
        } catch {
            throw error.following(history + [exchange])
        }
    }

    private func specification() throws(HTTPError) -> TransferSpec {
        TransferSpec(
            hop: hop,
            tls: tls,
            jar: jar,
            proxy: try ProxyRoute.choose(
                proxies, for: hop.address, environment: client.environmentProxies,
                hiding: hop.hiding),
            timeout: timeout,
            deadline: deadline,
            followsRedirects: redirects != .none,
            responseLimit: responseLimit,
            cutsLongBody: cutsLongBody,
            recordsRequestHeaders: recordsRequestHeaders
        )
    }
}
