/// What a request carries.
public enum HTTPBody: Sendable, Hashable {
    /// Nothing. `POST`, `PUT` and `PATCH` then say `Content-Length: 0`.
    case empty
    /// These bytes; without a content type no `Content-Type` is sent.
    case bytes([UInt8], contentType: String?)
    /// Fields as `application/x-www-form-urlencoded`, in their order.
    case form([HTTPPair])
    /// Parts as `multipart/form-data`, in their order.
    case multipart([HTTPPart])
    /// The content of a regular file, read while it is sent.
    case file(path: String, contentType: String?)
    /// What was put into a temporary file, read while it is sent.
    case spooled(SpooledBody, contentType: String?)

    /// The text as UTF-8, without a `Content-Type` unless one is given.
    public static func text(_ text: String, contentType: String? = nil) -> HTTPBody {
        .bytes(Array(text.utf8), contentType: contentType)
    }

    /// Bytes that are JSON, sent as `application/json`.
    public static func json(_ bytes: [UInt8]) -> HTTPBody {
        .bytes(bytes, contentType: "application/json")
    }
}
