/// A cookie that a session holds.
public struct HTTPCookie: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: String
    /// The host it is sent to.
    public let domain: String
    /// Whether hosts below `domain` get it too.
    public let includesSubdomains: Bool
    /// The path under which it is sent.
    public let path: String
    /// Whether it is sent over TLS alone.
    public let isSecure: Bool
    /// When it ends, in seconds since 1970; nil ends with the session.
    public let expires: Int64?
}
