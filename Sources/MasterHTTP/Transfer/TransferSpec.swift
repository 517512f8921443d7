/// All that one transfer needs to know; a value, so that the loop's thread shares nothing with tasks.
struct TransferSpec: Sendable {
    let hop: Hop
    let tls: HTTPTLS
    let jar: CookieJar?
    let proxy: ProxyRoute?
    let timeout: HTTPTimeout
    let deadline: ContinuousClock.Instant?
    let followsRedirects: Bool
    let responseLimit: Int
}
