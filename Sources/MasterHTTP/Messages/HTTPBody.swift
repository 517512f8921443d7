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

/// Encodes `multipart/form-data` byte for byte like Python's `requests`, except for the boundary.
public struct MultipartEncoding: Sendable {
    let boundary: String

    /// Creates an encoding with a boundary of sixteen random bytes.
    public init() {
        var random = SystemRandomNumberGenerator()
        boundary = Self.hex(random.next()) + Self.hex(random.next())
    }

    /// The content type, including the boundary.
    public var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// Encodes parts in order.
    ///
    /// - Throws: `HTTPError` with the code `invalidHeader` if a header of a part cannot be sent.
    func encode(_ parts: [HTTPPart]) throws(HTTPError) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(parts.reduce(64) { $0 + $1.content.count + 256 })
        for part in parts {
            encoded.append(contentsOf: try beginning(of: part))
            encoded.append(contentsOf: Self.endOfPart)
        }
        encoded.append(contentsOf: end)
        return encoded
    }

    /// Encodes the boundary before a part, its headers, and its content; more content may follow.
    ///
    /// - Throws: `HTTPError` with the code `invalidHeader` if a header of the part cannot be sent.
    public func beginning(of part: HTTPPart) throws(HTTPError) -> [UInt8] {
        Array("--\(boundary)\r\n\(try head(of: part))".utf8) + part.content
    }

    /// The line break after the content of each part.
    public static let endOfPart = Array("\r\n".utf8)

    /// The boundary after the last part.
    public var end: [UInt8] { Array("--\(boundary)--\r\n".utf8) }

    private func head(of part: HTTPPart) throws(HTTPError) -> String {
        var head = "Content-Disposition: form-data; name=\"\(Self.escape(part.name))\""
        if let filename = part.filename { head += "; filename=\"\(Self.escape(filename))\"" }
        head += "\r\n"
        if let type = part.contentType {
            guard HTTPSyntax.isHeaderValue(type) else {
                throw .invalidHeader(valueOf: "Content-Type")
            }
            head += "Content-Type: \(type)\r\n"
        }
        try part.headers.validate()
        for header in part.headers { head += "\(header.name): \(header.value)\r\n" }
        return head + "\r\n"
    }

    /// Escapes a quoted name as browsers do.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": escaped += "%22"
            case "\r": escaped += "%0D"
            case "\n": escaped += "%0A"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func hex(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Encodes `application/x-www-form-urlencoded` byte for byte like Python's `requests`.
enum FormEncoding {
    static let contentType = "application/x-www-form-urlencoded"

    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Encodes pairs in order.
    static func encode(_ pairs: [HTTPPair]) -> [UInt8] {
        var encoded: [UInt8] = []
        for pair in pairs {
            if !encoded.isEmpty { encoded.append(UInt8(ascii: "&")) }
            append(pair.name, to: &encoded)
            encoded.append(UInt8(ascii: "="))
            append(pair.value, to: &encoded)
        }
        return encoded
    }

    /// Appends pairs to the query of a URL, before its fragment.
    static func append(_ pairs: [HTTPPair], to url: String) -> String {
        guard !pairs.isEmpty else { return url }
        let fragment = url.utf8.firstIndex(of: UInt8(ascii: "#")) ?? url.endIndex
        var result = String(url[..<fragment])
        switch result.utf8.firstIndex(of: UInt8(ascii: "?")) {
        case nil: result += "?"
        case let mark? where result.utf8.index(after: mark) == result.endIndex: break
        case _?: result += "&"
        }
        result += String(decoding: encode(pairs), as: UTF8.self)
        result += url[fragment...]
        return result
    }

    private static func append(_ text: String, to encoded: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case _ where HTTPSyntax.isAlphanumeric(byte), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                encoded.append(byte)
            case UInt8(ascii: " "):
                encoded.append(UInt8(ascii: "+"))
            default:
                encoded.append(UInt8(ascii: "%"))
                encoded.append(digits[Int(byte >> 4)])
                encoded.append(digits[Int(byte & 15)])
            }
        }
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
