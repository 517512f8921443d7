import Glibc
import MasterKit
import SystemPackage

/// A file that a program writes, read as it grows.
struct FollowedFile: Sendable {
    let name: String
    let path: FilePath
    private let follows: Bool
    /// What stood at the path before the program began.
    private let before: POSIX.Status?
    private var file: OwnedDescriptor?
    private var readByteCount = 0

    /// Notes what stands at the path now.
    init(_ file: Command.Shell.LogFile, in folder: FilePath) {
        name = file.name
        path = folder.place(of: file.path)
        follows = file.follows
        before = Self.status(of: path)
    }

    /// How much can be read without waiting.
    var unreadByteCount: Int {
        guard let status = Self.status(of: path) else { return 0 }
        return max(0, Int(status.st_size) - (file == nil ? 0 : readByteCount))
    }

    /// Reads what the file has got since the last time; none when nothing was added.
    ///
    /// A file that was replaced is read to its end before the new one is begun; one that was
    /// truncated is read from its start.
    mutating func read(maxByteCount: Int) throws(SystemFault) -> [UInt8] {
        guard let status = Self.status(of: path) else { return try readOn(maxByteCount) }
        guard let file else {
            guard let start = start(of: status) else { return [] }
            try open(at: start)
            return try readOn(maxByteCount)
        }
        if try POSIX.status(of: file.number).isSameFile(as: status) {
            if Int(status.st_size) < readByteCount { try open(at: 0) }
            return try readOn(maxByteCount)
        }
        let rest = try readOn(maxByteCount)
        if !rest.isEmpty || !status.isFile { return rest }
        try open(at: 0)
        return try readOn(maxByteCount)
    }

    /// Where reading begins; none as long as the file is as it was before the program began.
    private func start(of status: POSIX.Status) -> Int? {
        guard status.isFile else { return nil }
        guard let before, before.isSameFile(as: status) else { return 0 }
        if before.st_size == status.st_size, before.st_mtim.tv_sec == status.st_mtim.tv_sec,
            before.st_mtim.tv_nsec == status.st_mtim.tv_nsec
        {
            return nil
        }
        return follows && before.st_size <= status.st_size ? Int(before.st_size) : 0
    }

    private mutating func open(at start: Int) throws(SystemFault) {
        let opened = try POSIX.open(path, O_RDONLY | O_NONBLOCK)
        guard lseek(opened.number, start, SEEK_SET) >= 0 else { throw SystemFault() }
        file = opened
        readByteCount = start
    }

    private mutating func readOn(_ maxByteCount: Int) throws(SystemFault) -> [UInt8] {
        guard let file else { return [] }
        let bytes = try POSIX.read(file.number, maxByteCount: maxByteCount)
        readByteCount += bytes.count
        return bytes
    }

    /// What stands at a path, none as long as nothing can be seen there.
    private static func status(of path: FilePath) -> POSIX.Status? {
        do {
            return try POSIX.status(of: path, following: true)
        } catch {
            return nil
        }
    }
}

extension POSIX.Status {
    fileprivate var isFile: Bool { st_mode & S_IFMT == S_IFREG }

    fileprivate func isSameFile(as other: POSIX.Status) -> Bool {
        st_dev == other.st_dev && st_ino == other.st_ino
    }
}
