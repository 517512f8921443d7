/// Where libcurl reads a body from that is not lent to it as a whole; used on the loop's thread.
final class BodySource {
    /// The number of bytes that are sent.
    let length: Int
    private let store: Store
    private var offset = 0

    /// What the bytes are taken from.
    private enum Store {
        case memory([UInt8])
        case file(OpenFile)
        case spool(SpooledBody)
    }

    /// Opens a body; nil when there is none or it is short enough to be lent.
    ///
    /// - Throws: `HTTPError` of code `fileUnreadable`.
    init?(_ body: TransferBody) throws(HTTPError) {
        switch body {
        case .none: return nil
        case .bytes(let bytes):
            guard bytes.count > EasyHandle.longestLoan else { return nil }
            store = .memory(bytes)
            length = bytes.count
        case .file(let path):
            do throws(OpenFile.Fault) {
                let file = try OpenFile(path)
                store = .file(file)
                length = file.length
            } catch {
                throw .fileUnreadable(error)
            }
        case .spooled(let spool):
            store = .spool(spool)
            length = spool.byteCount
        }
    }

    /// Reads what comes next; nothing at the end.
    func read(into room: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int {
        let count = min(room.count, length - offset)
        guard count > 0 else { return 0 }
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: room[..<count])
        let taken = try unsafe take(into: part)
        offset += taken
        return taken
    }

    private func take(into room: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int {
        switch store {
        case .memory(let bytes):
            unsafe room.copyBytes(from: bytes[offset..<offset + room.count])
            return room.count
        case .file(let file):
            do throws(OpenFile.Fault) {
                return try unsafe file.read(into: room, at: offset)
            } catch {
                throw .fileUnreadable(error)
            }
        case .spool(let spool): return try unsafe spool.read(into: room, at: offset)
        }
    }

    /// Goes back, to send again what was sent; false when there is no such place.
    func rewind(to offset: Int) -> Bool {
        guard (0...length).contains(offset) else { return false }
        self.offset = offset
        return true
    }
}

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
