import Glibc
import MasterKit
import SystemPackage

/// Reads a file for the master in chunks.
struct FileUpload {
    static let chunkByteCount = 128 * 1024

    private let file: Command.UploadFile
    private let path: FilePath
    private let started: ContinuousClock.Instant

    init(_ file: Command.UploadFile, at path: FilePath, started: ContinuousClock.Instant) {
        self.file = file
        self.path = path
        self.started = started
    }

    /// Passes on all bytes of the file.
    func run(_ updates: (CommandUpdate) async throws -> Void) async throws -> CommandResult.Value {
        let source = try await OwnThread.run { [path, file] in
            try Self.open(path, maxByteCount: file.maxByteCount)
        }
        var count = 0
        while true {
            try Task.checkCancellation()
            let bytes = try await OwnThread.run { [path, file] in
                try Self.read(source, path, maxByteCount: file.blockByteCount)
            }
            if bytes.isEmpty { return .byteCount(count) }
            count += bytes.count
            if let limit = file.maxByteCount, count > limit { throw Self.tooLarge(path, limit) }
            try await updates(CommandUpdate(.content(bytes), elapsed: .now - started))
        }
    }

    /// Opens a file and checks that it is a regular file before reading; anything else might never
    /// end.
    private static func open(
        _ path: FilePath, maxByteCount: Int?
    ) throws(CommandError) -> OwnedDescriptor {
        let status: POSIX.Status
        let owned: OwnedDescriptor
        do {
            owned = try POSIX.open(path, O_RDONLY | O_NONBLOCK)
            status = try POSIX.status(of: owned.number)
        } catch let fault {
            throw CommandError("the file \(path) cannot be read", fault)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(
                .wrongKind, "\(path) cannot be uploaded: it is not a file; name a file")
        }
        if let limit = maxByteCount, status.st_size > limit { throw tooLarge(path, limit) }
        return owned
    }

    private static func read(
        _ source: OwnedDescriptor, _ path: FilePath, maxByteCount: Int
    ) throws(CommandError) -> [UInt8] {
        do {
            return try POSIX.read(source.number, maxByteCount: maxByteCount)
        } catch let fault {
            throw CommandError("the file \(path) cannot be read", fault)
        }
    }

    private static func tooLarge(_ path: FilePath, _ limit: Int) -> CommandError {
        CommandError(
            .tooLarge,
            "the file \(path) has more than the \(limit) bytes that are allowed; "
                + "raise the limit, or make it smaller"
        )
    }
}

/// Writes a file with the master's input.
///
/// It is written to a temporary file next to the path, which is renamed once it is complete.
struct FileDownload {
    private let file: Command.DownloadFile
    private let path: FilePath

    init(_ file: Command.DownloadFile, at path: FilePath) {
        self.file = file
        self.path = path
    }

    /// Writes all bytes of the input.
    func run(_ input: CommandInput) async throws -> CommandResult.Value {
        let target = try await OwnThread.run { [path] in try Self.open(path) }
        do {
            let count = try await write(input, to: target.descriptor)
            try await OwnThread.run { [file, path] in
                try Self.explaining(path) {
                    guard fchmod(target.descriptor.number, file.permissions) == 0
                    else { throw SystemFault() }
                    if let modified = file.modified {
                        try POSIX.setModified(modified, of: target.descriptor.number)
                    }
                    try POSIX.rename(target.path, to: path)
                }
            }
            return .byteCount(count)
        } catch {
            await discard(target)
            throw error
        }
    }

    /// Removes the unfinished file; the earlier error is the one to report.
    private func discard(_ target: TemporaryFile) async {
        do {
            try await OwnThread.run { try target.remove() }
        } catch {
            // The file was removed with its folder, or nothing can be removed there.
        }
    }

    private func write(_ input: CommandInput, to target: OwnedDescriptor) async throws -> Int {
        var count = 0
        while true {
            try Task.checkCancellation()
            let bytes = try await input.next(FileUpload.chunkByteCount)
            if bytes.isEmpty { return count }
            count += bytes.count
            if let limit = file.maxByteCount, count > limit {
                throw CommandError(
                    .tooLarge,
                    "the file for \(path) has more than the \(limit) bytes that are "
                        + "allowed; raise the limit, or send less"
                )
            }
            try await OwnThread.run { [path] in
                try Self.explaining(path) { _ = try target.descriptor.writeAll(bytes) }
            }
        }
    }

    private static func open(_ path: FilePath) throws -> TemporaryFile {
        try FileTree.makeParent(of: path)
        if try FileTree.kind(of: path, followingLinks: false) == S_IFDIR {
            throw CommandError(
                .wrongKind,
                "the file \(path) cannot be written: a folder is there; "
                    + "choose another path"
            )
        }
        return try explaining(path) { try TemporaryFile(beside: path) }
    }

    /// Converts a system error to one about this file.
    private static func explaining<Value>(
        _ path: FilePath, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let fault as SystemFault {
            throw CommandError("the file \(path) cannot be written", fault)
        } catch let fault as Errno {
            throw CommandError("the file \(path) cannot be written", SystemFault(fault.rawValue))
        }
    }
}

/// Looks up files and folders.
enum FileLookup {
    /// The maximum number of names that one command returns.
    static let maxNames = 100_000

    /// The status of the file at a path; `nil` if it does not exist.
    static func status(
        of path: FilePath, followingLinks: Bool = true
    ) throws(CommandError) -> CommandResult.FileStatus? {
        do {
            let status = try POSIX.status(of: path, following: followingLinks)
            let kind: CommandResult.FileStatus.Kind =
                switch status.st_mode & S_IFMT {
                case S_IFREG: .file
                case S_IFDIR: .directory
                default: .other
                }
            let nanoseconds = Double(status.st_mtim.tv_nsec)
            return CommandResult.FileStatus(
                kind: kind, byteCount: Int(status.st_size), permissions: status.st_mode & 0o7777,
                modified: Double(status.st_mtim.tv_sec) + nanoseconds / 1e9)
        } catch let fault {
            if fault.number == ENOENT || fault.number == ENOTDIR { return nil }
            throw CommandError("\(path) cannot be accessed", fault)
        }
    }

    /// The names in a folder, sorted.
    static func names(in folder: FilePath) throws(CommandError) -> [String] {
        let names = try entries(in: folder, limit: maxNames)
        guard names.count <= maxNames else {
            throw CommandError(
                .tooLarge, "\(folder) has more than \(maxNames) entries; list a smaller folder")
        }
        return names.map(\.string).sorted()
    }

    /// The names in a folder, in no particular order; at most one more than the limit.
    static func entries(
        in folder: FilePath, limit: Int = .max - 1
    ) throws(CommandError) -> [FilePath.Component] {
        do {
            return try POSIX.names(in: folder, limit: limit)
        } catch let fault {
            throw CommandError("the folder \(folder) cannot be listed", fault)
        }
    }

    /// The paths that match a pattern, sorted; relative if the pattern is.
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
