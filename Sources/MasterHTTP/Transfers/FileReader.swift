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
