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

/// A body that libcurl reads in pieces. Used on the curl thread.
final class BodySource {
    /// The number of bytes to send.
    let length: Int
    private let store: Store
    private var offset = 0

    private enum Store {
        case memory([UInt8])
        case file(FileReader)
    }

    init(_ bytes: [UInt8]) {
        store = .memory(bytes)
        length = bytes.count
    }

    init(_ reader: FileReader) {
        store = .file(reader)
        length = reader.length
    }

    /// Reads the next bytes; returns 0 at the end, `nil` if the file has not been read that far.
    func read(into room: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int? {
        guard offset < length else { return 0 }
        let count: Int?
        switch store {
        case .memory(let bytes):
            let end = min(length, offset + room.count)
            unsafe room.copyBytes(from: bytes[offset..<end])
            count = end - offset
        case .file(let reader):
            count = try unsafe reader.read(into: room, at: offset)
        }
        offset += count ?? 0
        return count
    }

    /// Moves back to send bytes again; returns `false` if the offset is outside the body.
    func rewind(to offset: Int) -> Bool {
        guard (0...length).contains(offset) else { return false }
        self.offset = offset
        return true
    }

    /// Whether the file must be read before more can be sent.
    var isWaiting: Bool {
        if case .file(let reader) = store { reader.isWaiting } else { false }
    }

    /// Receives a piece of the file.
    func accept(_ piece: FileReader.Piece) {
        if case .file(let reader) = store { reader.accept(piece) }
    }
}
