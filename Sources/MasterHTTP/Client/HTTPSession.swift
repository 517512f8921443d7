/// A cookie jar and defaults for the requests that are sent in it.
///
/// Sessions of one client do not see each other's cookies; they share its connections, but never
/// one that was made with other TLS settings.
public final class HTTPSession: Sendable {
    /// What the session adds to its requests.
    public let configuration: HTTPSessionConfiguration
    let jar: CookieJar
    private let loop: TransferLoop

    init(_ configuration: HTTPSessionConfiguration, loop: TransferLoop) throws(HTTPError) {
        self.configuration = configuration
        self.loop = loop
        jar = try CookieJar()
    }

    /// The cookies held, those that have ended left out; none once the client is shut down.
    public func cookies() async -> [HTTPCookie] {
        await withCheckedContinuation { continuation in
            loop.listCookies(of: jar) { continuation.resume(returning: $0) }
        }
    }
}
