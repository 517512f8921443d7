import Glibc
import SystemPackage

extension POSIX {
    /// The names in a folder without `.` and `..`, in no order; at most one more than the limit.
    static func names(
        in folder: FilePath,
        limit: Int = .max - 1
    ) throws(SystemFault) -> [FilePath.Component] {
        guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
            throw SystemFault()
        }
        defer { unsafe closedir(stream) }
        var names: [FilePath.Component] = []
        errno = 0
        while names.count <= limit, let entry = unsafe readdir(stream) {
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if let name = FilePath.Component(platformString: bytes), name.kind == .regular {
                names.append(name)
            }
            errno = 0
        }
        guard errno == 0 else { throw SystemFault() }
        return names
    }

    /// The paths that fit a pattern, in no order; none when they are more than the limit.
    static func paths(fitting pattern: String, limit: Int) -> [String]? {
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        let status = unsafe glob(pattern, GLOB_NOSORT, nil, &found)
        if status == GLOB_NOMATCH { return [] }
        guard status == 0, unsafe Int(found.gl_pathc) <= limit else { return nil }
        return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
            unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
        }
    }

    /// Makes a file under a name that begins like this and that nobody else has.
    static func makeFile(
        beside path: FilePath
    ) throws(SystemFault) -> (path: FilePath, file: OwnedDescriptor) {
        var name = unsafe path.withPlatformString { path in
            unsafe Array(UnsafeBufferPointer(start: path, count: strlen(path)))
        }
        name += ".XXXXXX".utf8CString
        let file = unsafe mkstemp(&name)
        guard file >= 0 else { throw SystemFault() }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        return (
            FilePath(platformString: name), OwnedDescriptor(FileDescriptor(rawValue: file))
        )
    }
}
