import Glibc

/// Where libcurl reads a body from that is not lent to it as a whole; used on the loop's thread.
final class BodySource {
    /// The number of bytes that are sent.
    let length: Int
    private let bytes: [UInt8]
    private let path: String
    private let file: Int32?
    private var offset = 0

    /// Opens a body; nil when there is none or it is short enough to be lent.
    ///
    /// - Throws: `HTTPError` of code `fileUnreadable`.
    init?(_ body: TransferBody) throws(HTTPError) {
        switch body {
        case .none: return nil
        case .bytes(let bytes):
            guard bytes.count > EasyHandle.longestLoan else { return nil }
            self.bytes = bytes
            path = ""
            file = nil
            length = bytes.count
        case .file(let path):
            let opened = try Self.open(path)
            bytes = []
            self.path = path
            file = opened.file
            length = opened.length
        }
    }

    deinit {
        if let file { close(file) }
    }

    /// Reads what comes next; nothing at the end.
    func read(into room: UnsafeMutableRawBufferPointer) throws(HTTPError) -> Int {
        let count = min(room.count, length - offset)
        guard count > 0 else { return 0 }
        let taken = try file.map { file throws(HTTPError) in
            try unsafe read(file, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
        }
        if taken == nil { unsafe room.copyBytes(from: bytes[offset..<offset + count]) }
        offset += taken ?? count
        return taken ?? count
    }

    /// Goes back, to send again what was sent; false when there is no such place.
    func rewind(to offset: Int) -> Bool {
        guard (0...length).contains(offset) else { return false }
        self.offset = offset
        return true
    }

    private func read(
        _ file: Int32,
        into room: UnsafeMutableRawBufferPointer
    ) throws(HTTPError) -> Int {
        while true {
            let count = unsafe pread(file, room.baseAddress, room.count, offset)
            if count > 0 { return count }
            guard count < 0 else {
                throw .fileUnreadable(path, reason: "it became shorter while it was sent")
            }
            guard errno == EINTR else { throw .fileUnreadable(path, reason: Self.systemError()) }
        }
    }

    private static func open(_ path: String) throws(HTTPError) -> (file: Int32, length: Int) {
        let file = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .fileUnreadable(path, reason: systemError()) }
        var information = stat()
        guard unsafe fstat(file, &information) == 0 else {
            let reason = systemError()
            close(file)
            throw .fileUnreadable(path, reason: reason)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw .fileUnreadable(path, reason: "it is no regular file")
        }
        return (file, Int(information.st_size))
    }

    private static func systemError() -> String {
        unsafe String(cString: strerror(errno))
    }
}
