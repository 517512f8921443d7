/// How a request proves who sends it; it wins over an `Authorization` header.
public enum HTTPAuthentication: Sendable, Hashable {
    /// A user and a password, sent in clear text with each request.
    case basic(user: String, password: String)
    /// A user and a password, proved by a digest of the server's challenge.
    ///
    /// The challenge costs one more round; its 401 is no exchange of its own.
    case digest(user: String, password: String)
    /// A token.
    case bearer(token: String)
}

extension HTTPAuthentication: CustomStringConvertible, CustomReflectable {
    /// The scheme; user, password and token are never part of it.
    public var description: String {
        switch self {
        case .basic: "basic"
        case .digest: "digest"
        case .bearer: "bearer"
        }
    }

    /// A mirror without children, so that a dump shows no password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
