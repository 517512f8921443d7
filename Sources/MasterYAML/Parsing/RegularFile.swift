internal import Glibc

/// Reads ordinary files; what may have no end, or make a reader wait, is refused.
package enum RegularFile {
    /// Why a file can't be read.
    package enum Fault: Error, Hashable {
        /// Nothing is there.
        case missing
        /// This user may not read it.
        case denied
        /// A folder is there.
        case folder
        /// A pipe, a socket or a device is there.
        case special
        /// It has more bytes than are wanted.
        case tooLarge
        /// The path has a NUL byte.
        case nul
        /// The system says so in these words.
        case other(String)

        init(errno code: Int32) {
            switch code {
            case ENOENT, ENOTDIR: self = .missing
            case EACCES, EPERM: self = .denied
            case ENXIO: self = .special
            default:
                let words = unsafe strerror(code).map { unsafe String(cString: $0) }
                self = .other(words ?? "error \(code)")
            }
        }
    }

    /// The content of a file that has at most so many bytes.
    package static func read(_ path: String, limit: Int) throws(Fault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw .nul }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Fault(errno: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Fault(errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .folder
        default: throw .special
        }
        guard status.st_size <= limit else { throw .tooLarge }
        let content = try read(descriptor, expecting: Int(status.st_size), limit: limit)
        guard content.count <= limit else { throw .tooLarge }
        return content
    }

    /// Reads up to somewhat more than is allowed, as a file may grow while it is read.
    private static func read(
        _ descriptor: Int32, expecting size: Int, limit: Int
    ) throws(Fault) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(size)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while content.count <= limit {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Fault(errno: errno) }
            if count == 0 { break }
            content += chunk[..<count]
        }
        return content
    }
}
