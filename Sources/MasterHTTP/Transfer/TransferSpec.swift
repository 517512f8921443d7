/// All that one transfer needs to know; immutable, since tasks and the loop's thread share it.
final class TransferSpec: Sendable {
    let hop: Hop
    let tls: HTTPTLS
    let jar: CookieJar?
    let proxy: ProxyRoute?
    let timeout: HTTPTimeout
    let deadline: ContinuousClock.Instant?
    let followsRedirects: Bool
    let responseLimit: Int

    init(
        hop: Hop,
        tls: HTTPTLS,
        jar: CookieJar?,
        proxy: ProxyRoute?,
        timeout: HTTPTimeout,
        deadline: ContinuousClock.Instant?,
        followsRedirects: Bool,
        responseLimit: Int
    ) {
        self.hop = hop
        self.tls = tls
        self.jar = jar
        self.proxy = proxy
        self.timeout = timeout
        self.deadline = deadline
        self.followsRedirects = followsRedirects
        self.responseLimit = responseLimit
    }
}
