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
