internal import Glibc

/// Reads regular files; pipes and devices, which may be endless or block, are rejected.
package enum RegularFile {
    /// The reason a file cannot be read.
    package enum Fault: Error, Hashable {
        /// The file does not exist.
        case missing
        /// Permission denied.
        case denied
        /// It is a folder.
        case folder
        /// It is a pipe, a socket or a device.
        case special
        /// It is larger than the limit.
        case tooLarge
        /// The path contains a NUL byte.
        case nul
        /// Another error, with the system's message.
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

    /// Returns the content of a file of at most `limit` bytes.
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

    /// Reads at most one chunk beyond the limit, because a file may grow while it is read.
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
