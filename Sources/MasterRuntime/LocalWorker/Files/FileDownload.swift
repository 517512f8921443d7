import Glibc
import MasterKit
import SystemPackage

/// Writes a file with what the master gives.
///
/// It is written under another name beside its place, and takes that when it is complete.
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
                    try POSIX.rename(target.path, to: path)
                }
            }
            return .byteCount(count)
        } catch {
            await discard(target)
            throw error
        }
    }

    /// Removes the unfinished file; what has failed before is the error to tell.
    private func discard(_ target: TemporaryFile) async {
        do {
            try await OwnThread.run { try target.remove() }
        } catch {
            // It has gone with its folder, or nothing can be removed there at all.
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
        if try FileTree.kind(of: path) == S_IFDIR {
            throw CommandError(
                .wrongKind,
                "the file \(path) cannot be written: a folder is there; "
                    + "choose another path"
            )
        }
        return try explaining(path) { try TemporaryFile(beside: path) }
    }

    /// Says of a fault of the system that it hit this file.
    private static func explaining<Value>(
        _ path: FilePath,
        _ body: () throws -> Value
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
