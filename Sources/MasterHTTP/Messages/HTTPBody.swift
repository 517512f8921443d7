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

/// The encoded body of a request.
enum OutgoingBody: Sendable {
    case none
    case bytes([UInt8])
    /// A regular file, opened when the transfer starts.
    case file(path: String)
    case spooled(SpooledBody)

    /// Encodes a body and adds its `Content-Type` unless it is already set or suppressed.
    init(_ body: HTTPBody, headers: inout HTTPHeaders, suppressed: [String]) throws(HTTPError) {
        var type: String?
        switch body {
        case .empty:
            self = .none
        case .bytes(let bytes, let contentType):
            self = .bytes(bytes)
            type = contentType
        case .form(let pairs):
            self = .bytes(FormEncoding.encode(pairs))
            type = FormEncoding.contentType
        case .multipart(let parts):
            let encoding = MultipartEncoding()
            self = .bytes(try encoding.encode(parts))
            type = encoding.contentType
        case .file(let path, let contentType):
            guard !path.utf8.contains(0) else {
                throw .fileUnreadable(
                    OpenFile.Fault(
                        path: HTTPError.quoted(path), reason: "its path has a NUL byte"))
            }
            self = .file(path: path)
            type = contentType
        case .spooled(let spool, let contentType):
            self = .spooled(spool)
            type = contentType
        }
        guard let type, !headers.contains("Content-Type"),
            !suppressed.contains(where: { HTTPSyntax.isSameName($0, "Content-Type") })
        else { return }
        headers.add("Content-Type", type)
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// The value of `Content-Length` if it is known before the file is opened.
    var lengthText: String? {
        switch self {
        case .none: "0"
        case .bytes(let bytes): "\(bytes.count)"
        case .file: nil
        case .spooled(let spool): "\(spool.byteCount)"
        }
    }
}
