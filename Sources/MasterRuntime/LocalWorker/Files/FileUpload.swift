import Glibc
import MasterKit
import SystemPackage

/// Reads a file for the master, piece by piece.
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

    /// Hands on all bytes of the file.
    func run(
        _ updates: (CommandUpdate) async throws -> Void
    ) async throws -> CommandResult.Value {
        let source = try await OwnThread.run { [path, file] in
            try Self.open(path, maxByteCount: file.maxByteCount)
        }
        var count = 0
        while true {
            try Task.checkCancellation()
            let bytes = try await OwnThread.run { [path] in try Self.read(source, path) }
            if bytes.isEmpty { return .byteCount(count) }
            count += bytes.count
            if let limit = file.maxByteCount, count > limit { throw Self.tooLarge(path, limit) }
            try await updates(CommandUpdate(.content(bytes), elapsed: .now - started))
        }
    }

    /// Opens a file and looks at it before anything is read; what is no file might never end.
    private static func open(
        _ path: FilePath,
        maxByteCount: Int?
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
                .wrongKind,
                "\(path) cannot be uploaded: it is no file; name a file"
            )
        }
        if let limit = maxByteCount, status.st_size > limit { throw tooLarge(path, limit) }
        return owned
    }

    private static func read(
        _ source: OwnedDescriptor,
        _ path: FilePath
    ) throws(CommandError) -> [UInt8] {
        do {
            return try POSIX.read(source.number, maxByteCount: chunkByteCount)
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
