import Glibc
import MasterKit
import SystemPackage

/// System calls on paths and files that throw errors.
///
/// Paths are `FilePath`s, because names need not be UTF-8, and a tree with such names must be
/// removable too.
enum POSIX {
    typealias Status = Glibc.stat

    static func status(of path: FilePath, following: Bool) throws(SystemFault) -> Status {
        var status = Status()
        try check(
            unsafe path.withPlatformString { path in
                unsafe fstatat(AT_FDCWD, path, &status, following ? 0 : AT_SYMLINK_NOFOLLOW)
            }
        )
        return status
    }

    static func status(of file: CInt) throws(SystemFault) -> Status {
        var status = Status()
        try check(unsafe fstat(file, &status))
        return status
    }

    /// Whether anything exists at a path, even a dangling link.
    static func exists(_ path: FilePath) -> Bool {
        var status = Status()
        return unsafe path.withPlatformString { unsafe lstat($0, &status) } == 0
    }

    static func isAccessible(_ path: FilePath, for mode: CInt) -> Bool {
        unsafe path.withPlatformString { unsafe access($0, mode) } == 0
    }

    static func makeFolder(_ path: FilePath, _ permissions: mode_t = 0o777) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe mkdir($0, permissions) })
    }

    static func removeFile(_ path: FilePath) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe unlink($0) })
    }

    static func rename(_ path: FilePath, to newPath: FilePath) throws(SystemFault) {
        try check(
            unsafe path.withPlatformString { path in
                unsafe newPath.withPlatformString { unsafe Glibc.rename(path, $0) }
            }
        )
    }

    static func makeLink(_ path: FilePath, to target: FilePath) throws(SystemFault) {
        try check(
            unsafe path.withPlatformString { path in
                unsafe target.withPlatformString { unsafe symlink($0, path) }
            }
        )
    }

    static func target(ofLink path: FilePath) throws(SystemFault) -> FilePath {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        let count = unsafe path.withPlatformString { path in
            unsafe readlink(path, &bytes, Int(PATH_MAX))
        }
        guard count >= 0 else { throw SystemFault() }
        return FilePath(platformString: bytes)
    }

    /// Removes a file, a link or an empty folder in an open folder.
    static func remove(_ name: FilePath.Component, in folder: CInt) throws(SystemFault) {
        var status = Status()
        try check(
            unsafe FilePath(root: nil, [name]).withPlatformString { name in
                guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
                else { return -1 }
                let isFolder = status.st_mode & S_IFMT == S_IFDIR
                return unsafe unlinkat(folder, name, isFolder ? AT_REMOVEDIR : 0)
            })
    }

    /// Opens a folder in an open folder; `..` is that above it.
    static func openFolder(
        _ name: FilePath.Component, in folder: CInt
    ) throws(SystemFault) -> OwnedDescriptor {
        let file = unsafe FilePath(root: nil, [name]).withPlatformString {
            unsafe openat(folder, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard file >= 0 else { throw SystemFault() }
        return OwnedDescriptor(FileDescriptor(rawValue: file))
    }

    static func setPermissions(
        _ permissions: mode_t, of name: FilePath.Component, in folder: CInt
    ) throws(SystemFault) {
        try check(
            unsafe FilePath(root: nil, [name]).withPlatformString {
                unsafe fchmodat(folder, $0, permissions, 0)
            })
    }

    static func setPermissions(_ permissions: mode_t, of path: FilePath) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe chmod($0, permissions) })
    }

    /// Sets a file's permissions and times to those of another file.
    static func pass(_ status: Status, to file: CInt) throws(SystemFault) {
        try check(fchmod(file, status.st_mode & 0o7777))
        try check(unsafe futimens(file, [status.st_atim, status.st_mtim]))
    }

    /// Sets when a file was last changed, in seconds since 1970.
    static func setModified(_ seconds: Double, of file: CInt) throws(SystemFault) {
        // It may come from another machine; what the file system can't hold, it clamps, too.
        let whole = min(max(seconds.rounded(.down), -0x1p40), 0x1p40)
        let rest = min(max(seconds - whole, 0), 0.999_999_999)
        let time = timespec(tv_sec: Int(whole), tv_nsec: Int(rest * 1e9))
        try check(unsafe futimens(file, [time, time]))
    }

    static func open(
        _ path: FilePath, _ flags: CInt,
        _ permissions: mode_t = 0
    ) throws(SystemFault) -> OwnedDescriptor {
        let file = unsafe path.withPlatformString {
            unsafe Glibc.open($0, flags | O_CLOEXEC, permissions)
        }
        guard file >= 0 else { throw SystemFault() }
        return OwnedDescriptor(FileDescriptor(rawValue: file))
    }

    /// Reads at most `maxByteCount` bytes; empty at the end.
    static func read(_ file: CInt, maxByteCount: Int) throws(SystemFault) -> [UInt8] {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: maxByteCount) { buffer, count in
            result = unsafe Glibc.read(file, buffer.baseAddress, maxByteCount)
            count = max(0, result)
        }
        guard result >= 0 else { throw SystemFault() }
        return bytes
    }

    /// Copies the rest of one file to the end of another.
    static func copy(_ input: CInt, to output: CInt) throws(SystemFault) {
        var count = 1
        while count > 0 { count = sendfile(output, input, nil, 8 << 20) }
        guard count == 0 else { throw SystemFault() }
    }

    /// The path without symbolic links, `.` and `..`; `nil` if it does not exist.
    static func resolved(_ path: FilePath) -> FilePath? {
        guard let resolved = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else {
            return nil
        }
        defer { unsafe free(resolved) }
        return unsafe FilePath(platformString: resolved)
    }

    private static func check(_ result: CInt) throws(SystemFault) {
        guard result == 0 else { throw SystemFault() }
    }
}

extension POSIX {
    /// The names in a folder without `.` and `..`, in no particular order; at most one more than
    /// the limit.
    static func names(
        in folder: FilePath, limit: Int = .max - 1
    ) throws(SystemFault) -> [FilePath.Component] {
        guard let stream = unsafe folder.withPlatformString({ unsafe opendir($0) }) else {
            throw SystemFault()
        }
        return try unsafe names(in: stream, limit: limit)
    }

    /// The names in an open folder, without `.` and `..`, in no particular order.
    static func names(in folder: CInt) throws(SystemFault) -> [FilePath.Component] {
        // Opened anew, as a copy would share the place of reading.
        let copy = unsafe openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw SystemFault() }
        guard let stream = unsafe fdopendir(copy) else {
            defer { close(copy) }
            throw SystemFault()
        }
        return try unsafe names(in: stream, limit: .max - 1)
    }

    private static func names(
        in stream: OpaquePointer, limit: Int
    ) throws(SystemFault) -> [FilePath.Component] {
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

    /// The paths that match a pattern, in no particular order; `nil` if there are more than the
    /// limit.
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

    /// Creates a file with a unique name that begins with a path.
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
        return (FilePath(platformString: name), OwnedDescriptor(FileDescriptor(rawValue: file)))
    }
}

/// A system error number, described as `No such file or directory`.
package struct SystemFault: Error, CustomStringConvertible {
    let number: CInt

    /// Creates the fault of an error number; by default the thread's `errno`.
    package init(_ number: CInt = errno) {
        self.number = number
    }

    package var description: String { Errno(rawValue: number).description }
}

extension CommandError {
    /// Creates an error that says what could not be done with a path, and why.
    ///
    /// - Parameters:
    ///   - task: What could not be done: `the folder /x cannot be made`.
    ///   - fault: The system's error.
    package init(_ task: String, _ fault: SystemFault) {
        let (code, remedy): (Code, String) =
            switch fault.number {
            case ENOENT: (.notFound, "check the path")
            case ENOTDIR, EISDIR, EEXIST, ENOTEMPTY: (.wrongKind, "check what is at the path")
            case EACCES, EPERM: (.denied, "change the permissions, or the path")
            case EROFS: (.denied, "the file system is read-only; choose another path")
            case ENOSPC, EDQUOT: (.system, "free disk space")
            case EMFILE, ENFILE: (.noResources, "raise the limit on open files")
            case ENAMETOOLONG: (.system, "choose a shorter path")
            case ELOOP: (.system, "remove the symbolic link")
            default: (.system, "check the disk and the path")
            }
        self.init(code, "\(task) (\(fault)); \(remedy)", cause: fault)
    }
}

// Optimized for large output: an array slice per line would cause reference counting, and a
// byte-by-byte search takes as long as everything else done with a line.
extension Span<UInt8> {
    /// The index at or after `start` at which a byte occurs next.
    func index(of byte: UInt8, from start: Int) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress else { return nil }
            let found = unsafe memchr(base + start, CInt(byte), bytes.count - start)
            return unsafe found.map { unsafe UnsafeRawPointer($0) - base }
        }
    }
}

extension [UInt8] {
    /// Appends bytes.
    mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
