internal import Glibc

extension YAMLParser {
    /// Reads a file.
    ///
    /// Only an ordinary file is read, and never more than ``maximumSize`` of it; a pipe or a device is
    /// refused without waiting for it.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - name: The name to show to people; by default the path.
    /// - Returns: The document and the diagnostics.
    public static func parse(contentsOf path: String, name: String? = nil) -> Output {
        let name = name ?? path
        do throws(FileProblem) {
            return parse(bytes: try content(ofFile: path), name: name)
        } catch {
            return refusal(error.message, name: name)
        }
    }

    /// A sentence that says why a file cannot be read.
    private struct FileProblem: Error {
        let message: String

        init(_ message: String) { self.message = message }

        init(errno code: Int32) {
            switch code {
            case ENOENT, ENOTDIR: self.init("there is no such file; give its path with -c FILE")
            case EACCES, EPERM:
                self.init("there is no permission to read the file; allow it with chmod +r")
            case ENXIO: self.init(Self.special)
            default: self.init("the file cannot be read: \(Self.words(of: code))")
            }
        }

        static let special = "this is no ordinary file but a pipe, a socket or a device"

        private static func words(of code: Int32) -> String {
            unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        }
    }

    private static func content(ofFile path: String) throws(FileProblem) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw FileProblem("a path cannot contain NUL") }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw FileProblem(errno: errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw FileProblem("this is a folder; give the path of a file in it")
        default: throw FileProblem(FileProblem.special)
        }
        guard status.st_size <= maximumSize else {
            throw FileProblem("the file is larger than 16 MiB")
        }
        return try read(descriptor, expecting: Int(status.st_size))
    }

    /// Reads up to one byte more than is allowed, as a file may grow while it is read.
    private static func read(
        _ descriptor: Int32,
        expecting size: Int
    ) throws(FileProblem) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(size)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while content.count <= maximumSize {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileProblem(errno: errno) }
            if count == 0 { break }
            content += chunk[..<count]
        }
        return content
    }
}
