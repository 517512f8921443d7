/// The method of a request: `GET`, `POST`, or any other token a server understands.
///
/// Any text can be written; `HTTPClient` refuses one that is no token, and `CONNECT`, before
/// anything is sent.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The method as it is sent.
    public let rawValue: String

    /// Makes a method of its name, which is case-sensitive.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Asks for a resource.
    public static let get = HTTPMethod(rawValue: "GET")
    /// Hands a body to a resource.
    public static let post = HTTPMethod(rawValue: "POST")
    /// Stores a resource.
    public static let put = HTTPMethod(rawValue: "PUT")
    /// Removes a resource.
    public static let delete = HTTPMethod(rawValue: "DELETE")
    /// Asks for the headers of a resource alone.
    public static let head = HTTPMethod(rawValue: "HEAD")
    /// Asks what can be done with a resource.
    public static let options = HTTPMethod(rawValue: "OPTIONS")
    /// Changes a part of a resource.
    public static let patch = HTTPMethod(rawValue: "PATCH")

    /// The name as it is sent.
    public var description: String { rawValue }

    /// Whether the name may stand in a request line.
    public var isValid: Bool {
        HTTPSyntax.isToken(rawValue) && rawValue != "CONNECT"
    }

    /// Whether a request without a body says so with `Content-Length: 0`.
    var announcesEmptyBody: Bool {
        self == .post || self == .put || self == .patch
    }
}
