internal import Glibc

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
