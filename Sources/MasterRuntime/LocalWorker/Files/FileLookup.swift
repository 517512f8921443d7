import Glibc
import MasterKit
import SystemPackage

/// Looks at what stands where.
enum FileLookup {
    /// The most names that one command gives.
    static let maxNames = 100_000

    /// What stands at a path, symbolic links followed; none when there is nothing.
    static func status(of path: FilePath) throws(CommandError) -> CommandResult.FileStatus? {
        do {
            let status = try POSIX.status(of: path, following: true)
            let kind: CommandResult.FileStatus.Kind =
                switch status.st_mode & S_IFMT {
                case S_IFREG: .file
                case S_IFDIR: .directory
                default: .other
                }
            let nanoseconds = Double(status.st_mtim.tv_nsec)
            return CommandResult.FileStatus(
                kind: kind,
                byteCount: Int(status.st_size),
                permissions: status.st_mode & 0o7777,
                modified: Double(status.st_mtim.tv_sec) + nanoseconds / 1e9
            )
        } catch let fault {
            if fault.number == ENOENT || fault.number == ENOTDIR { return nil }
            throw CommandError("\(path) cannot be looked at", fault)
        }
    }

    /// The names in a folder, sorted.
    static func names(in folder: FilePath) throws(CommandError) -> [String] {
        let names = try entries(in: folder, limit: maxNames)
        guard names.count <= maxNames else {
            throw CommandError(
                .tooLarge,
                "\(folder) has more than \(maxNames) entries; list a smaller folder"
            )
        }
        return names.map(\.string).sorted()
    }

    /// The names in a folder, in no order; at most one more than the limit.
    static func entries(
        in folder: FilePath,
        limit: Int = .max - 1
    ) throws(CommandError) -> [FilePath.Component] {
        do {
            return try POSIX.names(in: folder, limit: limit)
        } catch let fault {
            throw CommandError("the folder \(folder) cannot be listed", fault)
        }
    }

    /// The paths that fit a pattern, sorted; relative ones when the pattern is.
    static func glob(_ pattern: String, from folder: String) throws(CommandError) -> [String] {
        let prefix = pattern.hasPrefix("/") ? "" : folder + "/"
        let literal = prefix.map { "*?[]\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        guard let paths = POSIX.paths(fitting: literal + pattern, limit: maxNames) else {
            throw CommandError(
                .tooLarge,
                "the pattern \(pattern) fits more than \(maxNames) paths, or more than the memory "
                    + "holds; use a narrower one"
            )
        }
        return paths.map { String($0.dropFirst(prefix.count)) }.sorted()
    }
}
