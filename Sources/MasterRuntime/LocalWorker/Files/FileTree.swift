import Glibc
import MasterKit
import SystemPackage

/// Creates, removes and copies folders with their content.
struct FileTree {
    let stop: StopFlag

    init(_ stop: StopFlag) {
        self.stop = stop
    }

    /// Creates a folder and its missing parents.
    static func make(_ path: FilePath, permissions: mode_t = 0o777) throws(CommandError) {
        var missing = [(path: path, hasParent: false)]
        while let (next, hasParent) = missing.last {
            do {
                try POSIX.makeFolder(next, permissions)
                missing.removeLast()
            } catch let fault {
                if fault.number == EEXIST, try kind(of: next) == S_IFDIR {
                    missing.removeLast()
                } else if fault.number == ENOENT, !hasParent, let parent = parent(of: next) {
                    // In some file systems nothing can be made although the folder above is there.
                    missing[missing.count - 1].hasParent = true
                    missing.append((parent, false))
                } else {
                    throw CommandError("the folder \(next) cannot be created", fault)
                }
            }
        }
    }

    /// Creates the parent folder of a path.
    static func makeParent(of path: FilePath, permissions: mode_t = 0o777) throws(CommandError) {
        if let parent = parent(of: path) { try make(parent, permissions: permissions) }
    }

    /// Removes the file or folder at a path; symbolic links are removed, never followed.
    func remove(_ path: FilePath) throws {
        guard let name = path.lastComponent, name.kind == .regular else {
            throw CommandError("\(path) cannot be removed", SystemFault(EINVAL))
        }
        var removal: Removal
        do {
            let parent = Self.parent(of: path) ?? "."
            removal = try Removal(
                path, in: try POSIX.open(parent, O_RDONLY | O_DIRECTORY), name: name)
        } catch let fault {
            if fault.number == ENOENT || fault.number == ENOTDIR { return }
            throw CommandError("\(path) cannot be removed", fault)
        }
        do throws(SystemFault) {
            while !stop.isStopped {
                guard try removal.next() else { break }
            }
        } catch {
            throw CommandError("\(removal.place) cannot be removed", error)
        }
        try stop.check()
    }

    /// The kind of file at a path, an `S_IFMT` value; `nil` if it does not exist.
    static func kind(
        of path: FilePath, followingLinks: Bool = true
    ) throws(CommandError) -> mode_t? {
        do {
            return try POSIX.status(of: path, following: followingLinks).st_mode & S_IFMT
        } catch let fault {
            if fault.number == ENOENT || fault.number == ENOTDIR { return nil }
            throw CommandError("\(path) cannot be accessed", fault)
        }
    }

    private static func parent(of path: FilePath) -> FilePath? {
        let parent = path.removingLastComponent()
        return parent == path ? nil : parent
    }
}

/// A folder that is removed entry by entry, each in its open folder: paths may be longer than the
/// system allows, and one descriptor is open at a time.
private struct Removal {
    private struct Level {
        /// The entries that are left; the last one is removed next.
        var names: [FilePath.Component]
        /// How often the last one was emptied, in case another process keeps writing to it.
        var listings = 0
        let identity: Identity
    }

    /// What tells a folder from all others.
    private struct Identity: Equatable {
        let device: dev_t
        let number: ino_t

        init(_ folder: OwnedDescriptor) throws(SystemFault) {
            let status = try POSIX.status(of: folder.number)
            (device, number) = (status.st_dev, status.st_ino)
        }
    }

    private static let maxListings = 10
    private static let longestPlace = 200

    private let path: FilePath
    private var folder: OwnedDescriptor
    private var levels: [Level]

    init(_ path: FilePath, in parent: OwnedDescriptor, name: FilePath.Component) throws(SystemFault)
    {
        self.path = path
        folder = parent
        levels = [Level(names: [name], identity: try Identity(parent))]
    }

    /// The entry that is removed, for messages.
    var place: String {
        let inner = levels.dropFirst().compactMap(\.names.last?.string)
        let whole = ([path.string] + inner).joined(separator: "/")
        guard whole.utf8.count > Self.longestPlace, let last = inner.last else { return whole }
        return "\(path)/.../\(last)"
    }

    /// Removes the next entry, enters it, or leaves an empty folder.
    ///
    /// - Returns: Whether there is more to do.
    mutating func next() throws(SystemFault) -> Bool {
        guard let name = levels.last?.names.last else { return try leave() }
        do throws(SystemFault) {
            try POSIX.remove(name, in: folder.number)
        } catch {
            guard error.isNotEmpty, levels[levels.count - 1].listings < Self.maxListings else {
                guard error.number == ENOENT else { throw error }
                finishEntry()
                return true
            }
            levels[levels.count - 1].listings += 1
            try enter(name)
            return true
        }
        finishEntry()
        return true
    }

    private mutating func finishEntry() {
        levels[levels.count - 1].names.removeLast()
        levels[levels.count - 1].listings = 0
    }

    private mutating func enter(_ name: FilePath.Component) throws(SystemFault) {
        do {
            // Module caches make their folders read-only.
            try POSIX.setPermissions(0o700, of: name, in: folder.number)
        } catch {
            // It may not be needed; if it is, removing the first entry fails with the reason.
        }
        let inner = try POSIX.openFolder(name, in: folder.number)
        levels.append(
            Level(names: try POSIX.names(in: inner.number), identity: try Identity(inner)))
        folder = inner
    }

    /// Returns to the folder above, unless it is no longer the one that it was.
    private mutating func leave() throws(SystemFault) -> Bool {
        guard levels.count > 1 else { return false }
        let outer = try POSIX.openFolder("..", in: folder.number)
        guard try Identity(outer) == levels[levels.count - 2].identity else {
            throw SystemFault(ESTALE)
        }
        levels.removeLast()
        folder = outer
        return true
    }
}

extension SystemFault {
    /// Whether a folder could not be removed because it is not empty.
    fileprivate var isNotEmpty: Bool { number == ENOTEMPTY || number == EEXIST }
}

extension FileTree {
    private typealias Pair = (source: FilePath, destination: FilePath)

    /// Copies a folder, replacing the destination.
    ///
    /// The copy is made next to the destination and renamed once it is complete.
    func copy(_ source: FilePath, to destination: FilePath) throws {
        try checkCanCopy(source, to: destination)
        try Self.makeParent(of: destination)
        let unfinished = FilePath("\(destination).copying-\(getpid())")
        try remove(unfinished)
        do {
            try copyEntries(of: source, to: unfinished)
            try remove(destination)
            try telling("the folder \(destination) cannot be created") { () throws(SystemFault) in
                try POSIX.rename(unfinished, to: destination)
            }
        } catch {
            discard(unfinished)
            throw error
        }
    }

    /// Removes an unfinished copy; the earlier error is the one to report.
    private func discard(_ unfinished: FilePath) {
        do {
            try FileTree(StopFlag()).remove(unfinished)
        } catch {
            // The next copy to this destination tries again, and reports the error if it fails.
        }
    }

    private func checkCanCopy(_ source: FilePath, to destination: FilePath) throws(CommandError) {
        guard try Self.kind(of: source) == S_IFDIR else {
            throw CommandError(
                .notFound,
                "the folder \(source) cannot be copied: there is no folder; "
                    + "check the path"
            )
        }
        guard source != destination, !destination.isBelow(source),
            !source.isBelow(destination)
        else {
            throw CommandError(
                .invalid,
                "\(source) cannot be copied to \(destination): one is within the other; "
                    + "choose another destination"
            )
        }
    }

    private func copyEntries(of source: FilePath, to destination: FilePath) throws {
        var waiting: [Pair] = [(source, destination)]
        var made: [Pair] = []
        while let folder = waiting.popLast() {
            try telling("the folder \(folder.destination) cannot be created") {
                () throws(SystemFault) in try POSIX.makeFolder(folder.destination, 0o700)
            }
            made.append(folder)
            for name in try FileLookup.entries(in: folder.source) {
                try stop.check()
                let entry = (folder.source.appending(name), folder.destination.appending(name))
                if try !copyEntry(entry) { waiting.append(entry) }
            }
        }
        for folder in made.reversed() {
            try telling("\(folder.destination) cannot be given its permissions") {
                () throws(SystemFault) in
                let file = try POSIX.open(folder.destination, O_RDONLY)
                try POSIX.pass(
                    try POSIX.status(of: folder.source, following: true), to: file.number)
            }
        }
    }

    /// Copies an entry other than a folder.
    ///
    /// - Returns: `false` if it is a folder, which is not copied.
    private func copyEntry(_ entry: Pair) throws(CommandError) -> Bool {
        var special: String?
        let isCopied = try telling("\(entry.source) cannot be copied to \(entry.destination)") {
            () throws(SystemFault) in
            let kind = try POSIX.status(of: entry.source, following: false).st_mode & S_IFMT
            switch kind {
            case S_IFDIR:
                return false
            case S_IFLNK:
                let target = try POSIX.target(ofLink: entry.source)
                try POSIX.makeLink(entry.destination, to: target)
            case S_IFREG:
                try copyFile(entry)
            case S_IFIFO: special = "a named pipe"
            case S_IFSOCK: special = "a socket"
            default: special = "a device"
            }
            return true
        }
        guard let special else { return isCopied }
        throw CommandError(
            .wrongKind,
            "\(entry.source) is \(special), and special files are not copied; remove it, or copy "
                + "the folders beside it")
    }

    private func copyFile(_ entry: Pair) throws(SystemFault) {
        let input = try POSIX.open(entry.source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        let output = try POSIX.open(entry.destination, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        try POSIX.copy(input.number, to: output.number)
        try POSIX.pass(try POSIX.status(of: input.number), to: output.number)
    }

    private func telling<Value>(
        _ task: String, _ body: () throws(SystemFault) -> Value
    ) throws(CommandError) -> Value {
        do {
            return try body()
        } catch let fault {
            throw CommandError(task, fault)
        }
    }
}
