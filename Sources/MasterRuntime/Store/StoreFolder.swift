internal import FoundationEssentials
internal import Glibc
internal import SystemPackage

/// A master's base folder: accessible only to its user, and containing only regular files of that
/// user.
///
/// No file in it is followed, truncated or waited on before it has been checked.
struct StoreFolder: Sendable {
    /// The permissions of folders and files: user only.
    private static let folderPermissions: mode_t = 0o700
    private static let filePermissions: mode_t = 0o600
    private static let groupAndOthers: mode_t = 0o077

    let path: String

    func path(of name: String) -> String { path + "/" + name }

    /// Whether a master has ever used the folder.
    ///
    /// - Throws: ``StoreError`` if this user cannot look into it.
    func hasStore() throws(StoreError) -> Bool {
        do {
            _ = try POSIX.status(of: FilePath(path(of: StoreOpening.fileName)), following: true)
            return true
        } catch  where [ENOENT, ENOTDIR].contains(error.number) {
            return false
        } catch {
            throw StoreError(
                .folder, Self.closedMessage(path, error), cause: Errno(rawValue: error.number))
        }
    }

    /// What to tell a user who cannot look into the folder of a master.
    static func closedMessage(_ folder: String, _ fault: SystemFault) -> String {
        "\(folder) cannot be read (\(fault)); run this command as the user that runs the master"
    }

    // MARK: Folders

    /// Creates the folder and its subfolders for logs and builds, and restricts them to the user.
    ///
    /// The permissions of a folder that also contains unrelated files are left unchanged; in that
    /// case only the files and folders inside it are made private.
    func prepare() throws(StoreError) {
        try Self.make(FilePath(path), remedyFor: path)
        let status = try status(of: path, following: true)
        guard status.isFolder else { throw notFolder(path, status) }
        try checkOwner(of: path, status)
        if try holdsOnlyOwnFiles() {
            try restrict(path, status, to: Self.folderPermissions)
            try keepOutOfGit()
        }
        for name in ["logs", "work"] { try preparePart(name) }
    }

    private func preparePart(_ name: String) throws(StoreError) {
        let path = path(of: name)
        do {
            try POSIX.makeFolder(FilePath(path), Self.folderPermissions)
            return
        } catch  where error.number == EEXIST {
            // Checked below.
        } catch {
            throw StoreError(opening: path, folder: self.path, cause: Errno(rawValue: error.number))
        }
        let status = try status(of: path, following: false)
        // Builds may be on another disk, so `work` may be a link. A regular file in place of a
        // folder is reported when the folder is used.
        guard !status.isLink || name == "work" else { throw notFolder(path, status) }
        guard status.isFolder else { return }
        try checkOwner(of: path, status)
        try restrict(path, status, to: Self.folderPermissions)
    }

    /// Creates a private folder, and its missing parents with default permissions.
    private static func make(_ path: FilePath, remedyFor folder: String) throws(StoreError) {
        do {
            try POSIX.makeFolder(path, folderPermissions)
        } catch  where error.number == EEXIST {
            return
        } catch  where error.number == ENOENT && !path.removingLastComponent().isEmpty {
            try makeAbove(path.removingLastComponent(), for: folder)
            do {
                try POSIX.makeFolder(path, folderPermissions)
            } catch {
                throw notMade(folder, error)
            }
        } catch {
            throw notMade(folder, error)
        }
    }

    private static func makeAbove(_ path: FilePath, for folder: String) throws(StoreError) {
        do {
            try POSIX.makeFolder(path)
        } catch  where error.number == EEXIST {
            return
        } catch  where error.number == ENOENT && !path.removingLastComponent().isEmpty {
            try makeAbove(path.removingLastComponent(), for: folder)
            try makeAbove(path, for: folder)
        } catch {
            throw notMade(folder, error)
        }
    }

    /// Whether the folder contains only files that a master creates. One that a link leads to may be
    /// any folder, whatever the name of the link.
    private func holdsOnlyOwnFiles() throws(StoreError) -> Bool {
        let isLink = try status(of: path, following: false).isLink
        if !isLink, FilePath(path).lastComponent?.string == ".buildmaster" { return true }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw StoreError(
                .folder,
                "the folder \(path) cannot be read (\(error)); change its permissions, or name "
                    + "another folder with --basedir",
                cause: error
            )
        }
        return names.allSatisfy { [".gitignore", "work"].contains($0) || Self.isOwn($0) }
    }

    /// Whether a name in the folder is that of the store, its logs, or a file of a running master.
    static func isOwn(_ name: String) -> Bool {
        ["changes", "commands", "control", "lock", "logs"].contains(name)
            || name.hasPrefix(StoreOpening.fileName)
    }

    /// Has git ignore the folder, unless somebody has decided otherwise.
    private func keepOutOfGit() throws(StoreError) {
        let path = path(of: ".gitignore")
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        do {
            let file = try POSIX.open(FilePath(path), flags, Self.filePermissions)
            try file.descriptor.writeAll("# Made by buildmaster.\n*\n".utf8)
        } catch let fault as SystemFault where fault.number == EEXIST {
            return
        } catch let fault as SystemFault {
            throw StoreError(opening: path, folder: self.path, cause: Errno(rawValue: fault.number))
        } catch {
            throw StoreError(opening: path, folder: self.path, cause: error)
        }
    }

    // MARK: Files

    /// Opens a file of the folder, creating it if it does not exist.
    ///
    /// - Parameters:
    ///   - name: The file name.
    ///   - isNew: Whether it is an error if the file exists.
    /// - Returns: The file, open for reading and writing.
    /// - Throws: ``StoreError`` if it is a link or anything else but a regular file, or belongs to
    ///   another user.
    func open(_ name: String, isNew: Bool = false) throws(StoreError) -> OwnedDescriptor {
        let path = path(of: name)
        // Without O_NONBLOCK, opening a named pipe would block.
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (isNew ? O_EXCL : 0)
        let file: OwnedDescriptor
        do {
            file = try POSIX.open(FilePath(path), flags, Self.filePermissions)
        } catch {
            throw try refusal(of: path, error)
        }
        let status: POSIX.Status
        do {
            status = try POSIX.status(of: file.number)
        } catch {
            throw StoreError(opening: path, folder: self.path, cause: Errno(rawValue: error.number))
        }
        guard status.isFile else { throw notFile(path, status) }
        try checkOwner(of: path, status)
        try restrict(path, status, to: Self.filePermissions)
        return file
    }

    /// Restricts the database and its companion files to the user.
    ///
    /// The files are not opened, because closing one would release this process's locks on it.
    /// - Returns: The sizes of the database and of its write-ahead log; `nil` for a missing file.
    func secureDatabase() throws(StoreError) -> (byteCount: Int?, logByteCount: Int?) {
        let name = StoreOpening.fileName
        for suffix in ["-shm", "-journal"] { _ = try secure(name + suffix) }
        return (try secure(name), try secure(name + "-wal"))
    }

    private func secure(_ name: String) throws(StoreError) -> Int? {
        let path = path(of: name)
        let status: POSIX.Status
        do {
            status = try POSIX.status(of: FilePath(path), following: false)
        } catch  where error.number == ENOENT {
            return nil
        } catch {
            throw StoreError(opening: path, folder: self.path, cause: Errno(rawValue: error.number))
        }
        guard status.isFile else { throw notFile(path, status) }
        try checkOwner(of: path, status)
        try restrict(path, status, to: Self.filePermissions)
        return Int(status.st_size)
    }

    // MARK: Checks

    private func status(of path: String, following: Bool) throws(StoreError) -> POSIX.Status {
        do {
            return try POSIX.status(of: FilePath(path), following: following)
        } catch {
            throw StoreError(opening: path, folder: self.path, cause: Errno(rawValue: error.number))
        }
    }

    /// Files owned by root are accepted, too: root can change everything anyway.
    private func checkOwner(of path: String, _ status: POSIX.Status) throws(StoreError) {
        guard status.st_uid != geteuid(), status.st_uid != 0 else { return }
        throw StoreError(
            .folder,
            "\(path) belongs to another user (uid \(status.st_uid)); run as that user, change the "
                + "owner, or name another folder with --basedir"
        )
    }

    private func restrict(
        _ path: String, _ status: POSIX.Status, to permissions: mode_t
    ) throws(StoreError) {
        guard status.st_mode & Self.groupAndOthers != 0, status.st_uid == geteuid() else { return }
        do {
            try POSIX.setPermissions(permissions, of: FilePath(path))
        } catch {
            throw StoreError(
                .folder,
                "\(path) cannot be restricted to its user (\(error)); name another folder with "
                    + "--basedir",
                cause: error
            )
        }
    }

    private func refusal(of path: String, _ fault: SystemFault) throws(StoreError) -> StoreError {
        if [ELOOP, EISDIR, ENXIO].contains(fault.number) {
            return notFile(path, try status(of: path, following: false))
        }
        return StoreError(opening: path, folder: self.path, cause: Errno(rawValue: fault.number))
    }

    private func notFile(_ path: String, _ status: POSIX.Status) -> StoreError {
        StoreError(
            .folder,
            "\(path) is \(status.kind), not a regular file; move it away, or name another folder "
                + "with --basedir"
        )
    }

    private func notFolder(_ path: String, _ status: POSIX.Status) -> StoreError {
        StoreError(
            .folder,
            "\(path) is \(status.kind), not a folder; move it away, or name another one with --basedir"
        )
    }

    private static func notMade(_ folder: String, _ fault: SystemFault) -> StoreError {
        StoreError(
            .folder,
            "the folder \(folder) cannot be created (\(fault)); name another one with --basedir",
            cause: fault)
    }
}

extension POSIX.Status {
    private var type: mode_t { st_mode & S_IFMT }

    fileprivate var isFile: Bool { type == S_IFREG }
    fileprivate var isFolder: Bool { type == S_IFDIR }
    fileprivate var isLink: Bool { type == S_IFLNK }

    /// The kind of file, with an article, for messages.
    fileprivate var kind: String {
        switch type {
        case S_IFLNK: "a symbolic link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a named pipe"
        case S_IFSOCK: "a socket"
        case S_IFREG: "a file"
        default: "a device"
        }
    }
}
