/// The body of one transfer, encoded.
enum TransferBody: Sendable {
    /// None, and nothing is said about it.
    case none
    /// These bytes.
    case bytes([UInt8])
    /// A regular file's content.
    case file(path: String)
    /// What is in a temporary file.
    case spooled(SpooledBody)

    /// Encodes a body, and adds its `Content-Type` unless there is one or it is not wanted.
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

    /// Whether there is no body.
    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// The value of `Content-Length`, when it is known before the file is opened.
    var lengthText: String? {
        switch self {
        case .none: "0"
        case .bytes(let bytes): "\(bytes.count)"
        case .file: nil
        case .spooled(let spool): "\(spool.byteCount)"
        }
    }
}
