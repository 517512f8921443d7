/// The body of a request.
public enum HTTPBody: Sendable, Hashable {
    /// No body. `POST`, `PUT` and `PATCH` requests send `Content-Length: 0`.
    case empty
    /// Raw bytes; `Content-Type` is sent only if one is given.
    case bytes([UInt8], contentType: String?)
    /// Fields as `application/x-www-form-urlencoded`, in order.
    case form([HTTPPair])
    /// Parts as `multipart/form-data`, in order.
    case multipart([HTTPPart])
    /// The contents of a regular file, read while it is sent.
    case file(path: String, contentType: String?)
    /// The contents of a temporary file, read while it is sent.
    case spooled(SpooledBody, contentType: String?)

    /// Creates a UTF-8 text body; `Content-Type` is sent only if one is given.
    public static func text(_ text: String, contentType: String? = nil) -> HTTPBody {
        .bytes(Array(text.utf8), contentType: contentType)
    }

    /// Creates a body from JSON bytes, sent as `application/json`.
    public static func json(_ bytes: [UInt8]) -> HTTPBody {
        .bytes(bytes, contentType: "application/json")
    }
}

/// One part of a `multipart/form-data` body: a field, or a file.
public struct HTTPPart: Sendable, Hashable {
    /// The name of the form field.
    public var name: String
    /// The file name sent to the server, or `nil` for a plain field.
    public var filename: String?
    /// The `Content-Type` of the part, or `nil` to omit it.
    public var contentType: String?
    /// Additional headers of the part, sent after `Content-Disposition` and `Content-Type`.
    public var headers: HTTPHeaders
    /// The content, sent unchanged.
    public var content: [UInt8]

    /// Creates a part from bytes.
    public init(
        name: String, content: [UInt8], filename: String? = nil, contentType: String? = nil,
        headers: HTTPHeaders = [:]
    ) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
        self.headers = headers
        self.content = content
    }

    /// Creates a plain field from text.
    public init(name: String, text: String) {
        self.init(name: name, content: Array(text.utf8))
    }
}

/// A name and a value: a form field, a query parameter, or a cookie.
public struct HTTPPair: Hashable, Sendable {
    /// The name, not encoded.
    public var name: String
    /// The value, not encoded.
    public var value: String

    /// Creates a pair.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension HTTPBody {
    /// Encodes a form as ``form(_:)`` does and returns the bytes and their content type, for
    /// requests with signed bodies.
    public static func encodedForm(_ pairs: [HTTPPair]) -> (bytes: [UInt8], contentType: String) {
        (FormEncoding.encode(pairs), FormEncoding.contentType)
    }
}
