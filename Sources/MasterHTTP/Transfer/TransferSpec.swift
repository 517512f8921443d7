/// All that one transfer needs to know; immutable, since tasks and the loop's thread share it.
final class TransferSpec: Sendable {
    let hop: OutgoingRequest
    let tls: HTTPTLS
    let jar: CookieJar?
    let proxy: ProxyRoute?
    let timeout: HTTPTimeout
    let deadline: ContinuousClock.Instant?
    let followsRedirects: Bool
    let responseLimit: Int
    let cutsLongBody: Bool
    /// Whether every byte is shown to the transfer, which costs time.
    let isObserved: Bool

    /// The server, and the proxy on the way there, for messages.
    var route: String {
        let place = hop.place.authority
        return proxy.map { "\(place) through the proxy \($0.authority)" } ?? place
    }

    init(
        hop: OutgoingRequest, tls: HTTPTLS, jar: CookieJar?, proxy: ProxyRoute?,
        timeout: HTTPTimeout,
        deadline: ContinuousClock.Instant?, followsRedirects: Bool, responseLimit: Int,
        cutsLongBody: Bool, recordsRequestHeaders: Bool
    ) {
        self.hop = hop
        self.tls = tls
        self.jar = jar
        self.proxy = proxy
        self.timeout = timeout
        self.deadline = deadline
        self.followsRedirects = followsRedirects
        self.responseLimit = responseLimit
        self.cutsLongBody = cutsLongBody
        // Through a proxy only the bytes themselves tell a tunnel from the request.
        isObserved = recordsRequestHeaders || proxy != nil
    }
}
