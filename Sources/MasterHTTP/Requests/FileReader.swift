internal import Dispatch
internal import Glibc

/// Reads the file of a request's body ahead of libcurl, so that a slow disk or network share holds
/// up no other transfer.
///
/// The file is opened and read on a queue of its own, which hands each piece over; everything else
/// is called on the curl thread. At most two pieces of 128 KiB are held.
final class FileReader {
    /// Bytes of the file, or why they could not be read.
    struct Piece: Sendable {
        let offset: Int
        let bytes: Result<[UInt8], HTTPError>
    }

    /// A file that is sent.
    enum File: Sendable {
        case file(OpenFile)
        case spooled(SpooledBody)
    }

    private static let pieceLength = 128 << 10

    let length: Int
    /// Whether libcurl asked for bytes that have not been read yet.
    private(set) var isWaiting = false
    private let file: File
    private let queue: DispatchQueue
    private let deliver: @Sendable (Piece) -> Void
    private var current = (offset: 0, bytes: [UInt8]())
    private var next: Piece?
    private var isReading = false

    /// Opens a regular file on a queue of its own, and hands over what came of it.
    static func open(
        _ path: String, _ handler: @escaping @Sendable (Result<OpenFile, HTTPError>) -> Void
    ) {
        makeQueue().async {
            handler(
                Result { () throws(HTTPError) in
                    do throws(OpenFile.Fault) {
                        return try OpenFile(path)
                    } catch {
                        throw .fileUnreadable(error)
                    }
                })
        }
    }

    /// Begins to read a file; each piece is handed to the closure, which passes it to `accept`.
    init(_ file: File, deliver: @escaping @Sendable (Piece) -> Void) {
        self.file = file
        self.deliver = deliver
        queue = Self.makeQueue()
        length =
            switch file {
            case .file(let file): file.length
            case .spooled(let spool): spool.byteCount
            }
        if length > 0 { fetch(at: 0) }
    }

    /// Takes bytes at an offset; `nil` when they must be read first.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(HTTPError) -> Int? {
        if !holds(offset), let piece = next {
            next = nil
            current = (piece.offset, try piece.bytes.get())
        }
        guard holds(offset) else {
            isWaiting = true
            fetch(at: offset)
            return nil
        }
        let start = offset - current.offset
        let end = min(current.bytes.count, start + room.count)
        unsafe room.copyBytes(from: current.bytes[start..<end])
        fetch(at: current.offset + current.bytes.count)
        return end - start
    }

    /// Takes a piece that was read.
    func accept(_ piece: Piece) {
        isReading = false
        isWaiting = false
        next = piece
    }

    private func holds(_ offset: Int) -> Bool {
        offset >= current.offset && offset < current.offset + current.bytes.count
    }

    private func fetch(at offset: Int) {
        guard !isReading, next == nil, offset < length else { return }
        isReading = true
        let count = min(Self.pieceLength, length - offset)
        queue.async { [file, deliver] in
            deliver(
                Piece(
                    offset: offset,
                    bytes: Result { () throws(HTTPError) in try file.read(count, at: offset) }))
        }
    }

    /// A serial queue has a thread of its own, so that a read that hangs keeps none of the threads
    /// on which tasks run.
    static func makeQueue() -> DispatchQueue {
        DispatchQueue(label: "buildmaster.file")
    }
}

extension FileReader.File {
    /// Reads at least one byte and at most `count`, from a place before the end.
    fileprivate func read(_ count: Int, at offset: Int) throws(HTTPError) -> [UInt8] {
        var fault: HTTPError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            let room = UnsafeMutableRawBufferPointer(room)
            do throws(HTTPError) {
                filled = try unsafe read(into: room, at: offset)
            } catch {
                fault = error
            }
        }
        if let fault { throw fault }
        return bytes
    }

    private func read(
        into room: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(HTTPError) -> Int {
        switch self {
        case .file(let file):
            do throws(OpenFile.Fault) {
                return try unsafe file.read(into: room, at: offset)
            } catch {
                throw .fileUnreadable(error)
            }
        case .spooled(let spool):
            return try unsafe spool.read(into: room, at: offset)
        }
    }
}

/// A regular file that is open while it is read.
final class OpenFile: Sendable {
    /// Why a file can't be opened or read.
    struct Fault: Error {
        let path: String
        let reason: String
    }

    /// The number of bytes when it was opened.
    let length: Int
    private let path: String
    private let descriptor: Int32

    /// Opens a file; a pipe or device, which may have no end, is refused without waiting for it.
    init(_ path: String) throws(Fault) {
        var descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // A file server may have to take the file back from another program first.
        if descriptor < 0, errno == EWOULDBLOCK, Self.isRegular(path) {
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw Fault(path: path, reason: Self.systemError()) }
        var information = stat()
        guard unsafe fstat(descriptor, &information) == 0 else {
            let reason = Self.systemError()
            close(descriptor)
            throw Fault(path: path, reason: reason)
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Fault(path: path, reason: "it is not a regular file")
        }
        self.path = path
        self.descriptor = descriptor
        length = Int(information.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Reads bytes at an offset before the end.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(Fault) -> Int {
        while true {
            let count = unsafe pread(descriptor, room.baseAddress, room.count, offset)
            if count > 0 { return count }
            guard count < 0 else {
                throw Fault(path: path, reason: "it became shorter while being read")
            }
            guard errno == EINTR else { throw Fault(path: path, reason: Self.systemError()) }
        }
    }

    /// All bytes that it had when it was opened.
    func content() throws(Fault) -> [UInt8] {
        var content = [UInt8](repeating: 0, count: length)
        var count = 0
        while count < length {
            let fault: Fault? = unsafe content.withUnsafeMutableBytes { bytes in
                do throws(Fault) {
                    count += try unsafe read(
                        into: UnsafeMutableRawBufferPointer(rebasing: bytes[count...]), at: count)
                    return nil
                } catch {
                    return error
                }
            }
            if let fault { throw fault }
        }
        return content
    }

    private static func isRegular(_ path: String) -> Bool {
        var information = stat()
        return unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }

    private static func systemError() -> String {
        unsafe String(cString: strerror(errno))
    }
}
