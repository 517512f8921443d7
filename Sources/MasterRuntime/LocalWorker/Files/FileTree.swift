import Glibc
import MasterKit
import SystemPackage

/// Makes, removes and copies folders with all that is in them.
struct FileTree {
    /// How often a folder is emptied before it is given up: somebody goes on writing to it.
    private static let maxListings = 10

    let stop: StopFlag

    init(_ stop: StopFlag) {
        self.stop = stop
    }

    /// Makes a folder and those above it.
    static func make(
        _ path: FilePath, permissions: mode_t = 0o777
    ) throws(CommandError) {
        var missing = [path]
        while let next = missing.last {
            do {
                try POSIX.makeFolder(next, permissions)
                missing.removeLast()
            } catch let fault {
                if fault.number == EEXIST, try kind(of: next) == S_IFDIR {
                    missing.removeLast()
                } else if fault.number == ENOENT, let parent = parent(of: next) {
                    missing.append(parent)
                } else {
                    throw CommandError("the folder \(next) cannot be made", fault)
                }
            }
        }
    }

    /// Makes the folder in which a path is.
    static func makeParent(
        of path: FilePath, permissions: mode_t = 0o777
    ) throws(CommandError) {
        if let parent = parent(of: path) { try make(parent, permissions: permissions) }
    }

    /// Removes what stands at a path; symbolic links are removed, never followed.
    func remove(_ path: FilePath) throws {
        var waiting = [(path: path, listings: 0)]
        while let (next, listings) = waiting.last {
            try stop.check()
            do {
                try removeOne(next)
                waiting.removeLast()
            } catch let fault where fault.number == ENOENT {
                waiting.removeLast()
            } catch let fault where fault.isNotEmpty && listings < Self.maxListings {
                waiting[waiting.count - 1].listings += 1
                waiting += try FileLookup.entries(in: next).map { (next.appending($0), 0) }
            } catch let fault {
                throw CommandError("\(next) cannot be removed", fault)
            }
        }
    }

    /// The kind of what stands at a path, one of `S_IFMT`'s; none when there is nothing.
    static func kind(of path: FilePath) throws(CommandError) -> mode_t? {
        do {
            return try POSIX.status(of: path, following: true).st_mode & S_IFMT
        } catch let fault {
            if fault.number == ENOENT || fault.number == ENOTDIR { return nil }
            throw CommandError("\(path) cannot be looked at", fault)
        }
    }

    /// Removes a file, a link or an empty folder.
    ///
    /// Module caches make their folders read-only; to whoever may change that, it is no obstacle.
    private func removeOne(_ path: FilePath) throws(SystemFault) {
        guard try POSIX.status(of: path, following: false).st_mode & S_IFMT == S_IFDIR else {
            return try POSIX.removeFile(path)
        }
        do {
            try POSIX.removeFolder(path)
        } catch let fault {
            if fault.isNotEmpty { openUp(path) }
            throw fault
        }
    }

    private func openUp(_ folder: FilePath) {
        do {
            try POSIX.setPermissions(0o700, of: folder)
        } catch {
            // It may do without; if not, its first entry says so.
        }
    }

    private static func parent(of path: FilePath) -> FilePath? {
        let parent = path.removingLastComponent()
        return parent == path ? nil : parent
    }
}

extension SystemFault {
    /// Whether a folder could not be removed because there is something in it.
    fileprivate var isNotEmpty: Bool { number == ENOTEMPTY || number == EEXIST }
}
