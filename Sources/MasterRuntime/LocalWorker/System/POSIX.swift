import Glibc
import SystemPackage

/// The system's calls on paths and files, with its answers as errors.
///
/// Paths are `FilePath`s: names need not be UTF-8, and a tree with such names can be removed too.
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

    static func isAccessible(_ path: FilePath, for mode: CInt) -> Bool {
        unsafe path.withPlatformString { unsafe access($0, mode) } == 0
    }

    static func makeFolder(
        _ path: FilePath,
        _ permissions: mode_t = 0o777
    ) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe mkdir($0, permissions) })
    }

    static func removeFolder(_ path: FilePath) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe rmdir($0) })
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

    static func setPermissions(_ permissions: mode_t, of path: FilePath) throws(SystemFault) {
        try check(unsafe path.withPlatformString { unsafe chmod($0, permissions) })
    }

    /// Gives a file the permissions and times of another.
    static func pass(_ status: Status, to file: CInt) throws(SystemFault) {
        try check(fchmod(file, status.st_mode & 0o7777))
        try check(unsafe futimens(file, [status.st_atim, status.st_mtim]))
    }

    static func open(
        _ path: FilePath,
        _ flags: CInt,
        _ permissions: mode_t = 0
    ) throws(SystemFault) -> OwnedDescriptor {
        let file = unsafe path.withPlatformString {
            unsafe Glibc.open($0, flags | O_CLOEXEC, permissions)
        }
        guard file >= 0 else { throw SystemFault() }
        return OwnedDescriptor(FileDescriptor(rawValue: file))
    }

    /// Reads at most so many bytes; none at the end.
    static func read(_ file: CInt, maxByteCount: Int) throws(SystemFault) -> [UInt8] {
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: maxByteCount) { buffer, count in
            result = unsafe Glibc.read(file, buffer.baseAddress, maxByteCount)
            count = max(0, result)
        }
        guard result >= 0 else { throw SystemFault() }
        return bytes
    }

    /// Copies what is left of one file to the end of another.
    static func copy(_ input: CInt, to output: CInt) throws(SystemFault) {
        var count = 1
        while count > 0 { count = sendfile(output, input, nil, 8 << 20) }
        guard count == 0 else { throw SystemFault() }
    }

    /// The path without symbolic links, `.` and `..`; none when it leads nowhere.
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
