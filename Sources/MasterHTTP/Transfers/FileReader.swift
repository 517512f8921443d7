internal import Dispatch
internal import Glibc

/// Reads the file of a request's body ahead of libcurl, so that a slow disk or network share does
/// not delay other transfers.
///
/// The file is opened and read on its own queue, which passes each piece to a closure; everything
/// else is called on the curl thread. At most two pieces of 128 KiB are held.
final class FileReader {
    /// A piece of the file, or the error from reading it.
    struct Piece: Sendable {
        let offset: Int
        let bytes: Result<[UInt8], HTTPError>
    }

    /// The file to read.
    enum File: Sendable {
        case file(OpenFile)
        case spooled(SpooledBody)
    }

    private static let pieceLength = 128 << 10

    let length: Int
    /// Whether libcurl requested bytes that have not been read yet.
    private(set) var isWaiting = false
    private let file: File
    private let queue: DispatchQueue
    private let deliver: @Sendable (Piece) -> Void
    private var current = (offset: 0, bytes: [UInt8]())
    private var next: Piece?
    private var isReading = false

    /// Opens a regular file on its own queue and passes the result to a handler.
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

    /// Starts reading a file; `deliver` gets each piece on the queue and forwards it to `accept`.
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

    /// Copies bytes at an offset; returns `nil` if they have to be read first.
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

    /// Receives a piece from the queue.
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

    /// Creates a serial queue, which runs on its own thread, so that a read that hangs does not
    /// block the threads that run tasks.
    static func makeQueue() -> DispatchQueue {
        DispatchQueue(label: "buildmaster.file")
    }
}

extension FileReader.File {
    /// Reads between one and `count` bytes at an offset before the end.
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

/// An open regular file.
final class OpenFile: Sendable {
    /// Why a file cannot be opened or read.
    struct Fault: Error {
        let path: String
        let reason: String
    }

    /// The number of bytes when the file was opened.
    let length: Int
    private let path: String
    private let descriptor: Int32

    /// Opens a file; pipes and devices, which may never end, are rejected without blocking.
    init(_ path: String) throws(Fault) {
        var descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // A file server may first have to revoke another client's lease.
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

    /// Reads all bytes that the file had when it was opened.
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

/// A body of any size, written to a temporary file and sent from it.
///
/// The file is already unlinked, so it is deleted with the last reference to the body, however the
/// process ends.
public final class SpooledBody: Sendable {
    private let descriptor: Int32
    private let folder: String
    private let queue = DispatchQueue(label: "buildmaster.spool")

    /// Creates an empty body.
    ///
    /// - Parameter folders: The folders for the file; the first one that works is used. By default
    ///   `TMPDIR`, `/var/tmp` and `/tmp`.
    /// - Throws: `HTTPError` with the code `spoolFailed` if the file cannot be created in any
    ///   folder.
    public init(in folders: [String] = SpooledBody.folders) throws(HTTPError) {
        var fault = "there is no folder for it"
        for folder in folders {
            guard let descriptor = Self.makeFile(in: folder) else {
                fault = unsafe String(cString: strerror(errno))
                continue
            }
            self.descriptor = descriptor
            self.folder = folder
            return
        }
        throw .spoolFailed(folders.joined(separator: " or "), reason: fault)
    }

    deinit {
        close(descriptor)
    }

    /// The system's folders for temporary files, starting with those for large files.
    public static var folders: [String] {
        let own = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        return [own, "/var/tmp", "/tmp"].compactMap(\.self).filter { !$0.isEmpty }
    }

    /// Appends bytes; calls must not overlap.
    ///
    /// - Throws: `HTTPError` with the code `spoolFailed`, for example if the disk is full.
    public func append(_ bytes: [UInt8]) async throws(HTTPError) {
        let fault: HTTPError? = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: self.write(bytes)) }
        }
        if let fault { throw fault }
    }

    /// The number of bytes; not reliable during `append`.
    public var byteCount: Int {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Reads bytes at an offset before the end.
    func read(into room: UnsafeMutableRawBufferPointer, at offset: Int) throws(HTTPError) -> Int {
        while true {
            let count = unsafe pread(descriptor, room.baseAddress, room.count, offset)
            if count > 0 { return count }
            guard count < 0, errno == EINTR else {
                let reason =
                    unsafe count == 0 ? "it became shorter" : String(cString: strerror(errno))
                throw .spoolFailed(folder, reason: reason)
            }
        }
    }

    private func write(_ bytes: [UInt8]) -> HTTPError? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return .spoolFailed(folder, reason: unsafe String(cString: strerror(errno)))
            }
        }
        return nil
    }

    /// Creates a file that nobody else can open, and unlinks it.
    private static func makeFile(in folder: String) -> Int32? {
        guard !folder.utf8.contains(0) else { return nil }
        let path = "\(folder)/buildmaster-\(UInt64.random(in: .min ... .max))"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return nil }
        unsafe unlink(path)
        return descriptor
    }
}

extension SpooledBody: Hashable {
    /// Bodies are equal only if they are identical.
    public static func == (one: SpooledBody, other: SpooledBody) -> Bool { one === other }

    /// Hashes the identity of the body.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(ObjectIdentifier(self))
    }
}
