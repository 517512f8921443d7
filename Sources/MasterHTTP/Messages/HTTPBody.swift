/// The body of a request.
public enum HTTPBody: Sendable, Hashable {
    /// No body. `POST`, `PUT` and `PATCH` then send `Content-Length: 0`.
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

/// One part of a `multipart/form-data` body: a field, or a file.
public struct HTTPPart: Sendable, Hashable {
    /// The name of the form field.
    public var name: String
    /// The file name told to the server; a plain field has none.
    public var filename: String?
    /// The `Content-Type` of the part, left out when nil.
    public var contentType: String?
    /// More headers of the part, sent after `Content-Disposition` and `Content-Type`.
    public var headers: HTTPHeaders
    /// The content, sent as it is.
    public var content: [UInt8]

    /// Makes a part of its content.
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

    /// Makes a plain field of a text.
    public init(name: String, text: String) {
        self.init(name: name, content: Array(text.utf8))
    }
}

/// A name and a value: one field of a form, one parameter of a query, one cookie of a request.
public struct HTTPPair: Hashable, Sendable {
    /// The name, not encoded.
    public var name: String
    /// The value, not encoded.
    public var value: String

    /// Makes a pair of a name and a value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension HTTPBody {
    /// The bytes of a form, as ``form(_:)`` sends them, and their content type: for requests whose
    /// bytes are signed.
    public static func encodedForm(_ pairs: [HTTPPair]) -> (bytes: [UInt8], contentType: String) {
        (FormEncoding.encode(pairs), FormEncoding.contentType)
    }
}
